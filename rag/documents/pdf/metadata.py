"""Document information of a PDF: title, author, date, page labels."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from contextlib import suppress

from rag.documents.metadata import Metadata, file_metadata
from rag.documents.pdf.file import Pdf
from rag.documents.whitespace import one_line

_LONGEST = 300
_EARLIEST_YEAR = 1980
_DATE = re.compile(r"(?:D:)?\s*(\d{4})(\d{2})(\d{2})")
_PROGRAM = re.compile(
    r"microsoft (?:word|powerpoint|excel|office)\b|powerpoint presentation$|untitled|no title|"
    r"(?:document|slide|presentation|sheet|book|scan|page|title|layout)\s*_?\d*$|arxiv:|pii:|doi:|"
    r"https?://|file:|[a-z]:\\|print",
    re.IGNORECASE,
)
_FILE_NAME = re.compile(
    r"\.(?:docx?|pdf|tex|dvi|e?ps|pptx?|xlsx?|indd|qxp?d?|rtf|odt|html?|txt|md|pages|fm)\s*$",
    re.IGNORECASE,
)


def information(pdf: Pdf) -> Metadata:
    """Title, author and date from the document information."""
    title, author = (one_line(pdf.get_metadata_value(name)) for name in ("Title", "Author"))
    return file_metadata(
        title=title if _is_title(title) else "",
        author=author if any(map(str.isalpha, author)) else "",
        date=_date(pdf),
    )


def _is_title(text: str) -> bool:
    """Whether a person gave this title, rather than a program."""
    return (
        2 < len(text) <= _LONGEST  # noqa: PLR2004 - shorter is no title
        and any(map(str.isalpha, text))
        and not _PROGRAM.match(text)
        and not _FILE_NAME.search(text)
        and not _is_file_name(text)
    )


def _date(pdf: Pdf) -> str:
    """Creation date from the document information, or else the modification date, in ISO 8601;
    empty if there is none.
    """
    for name in ("CreationDate", "ModDate"):
        match = _DATE.match(pdf.get_metadata_value(name))
        if match and int(match[1]) >= _EARLIEST_YEAR:
            with suppress(ValueError):
                return dt.date(int(match[1]), int(match[2]), int(match[3])).isoformat()
    return ""


def page_labels(pdf: Pdf, numbers: range) -> tuple[str, ...]:
    """Labels of some pages; empty if the PDF defines none."""
    if not numbers or not pdf.get_page_label(0):
        return ()
    return tuple(one_line(pdf.get_page_label(page)) for page in numbers)


def _is_file_name(text: str) -> bool:
    """Whether it looks like a file name or code: one word with digits, underscores or slashes."""
    return not any(map(str.isspace, text)) and bool(re.search(r"[\d_/\\]", text))


def ranges(pages: Sequence[int]) -> str:
    """Format page indices (from 0) as ranges: "3 to 5" with a dash, separated by commas."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][1] + 1:
            runs[-1][1] = page
        else:
            runs.append([page, page])
    return ", ".join(
        f"{first + 1}" if first == last else f"{first + 1}\u2013{last + 1}" for first, last in runs
    )
