"""Document information of a PDF: title, author, date, page labels."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from rag.documents.metadata import Metadata
from rag.documents.pdf.file import Pdf
from rag.documents.whitespace import one_line

_LONGEST = 300
_EARLIEST_YEAR = 1980
_DATE = re.compile(r"(?:D:)?\s*(\d{4})(\d{2})?(\d{2})?")
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
    title, author, date = _title(pdf), _author(pdf), _date(pdf)
    fields = {
        "author": author,
        "author_from": "file" if author else "",
        "title_from": "file" if title else "",
        "date_from": "file" if date else "",
    }
    return Metadata(title, date, {name: value for name, value in fields.items() if value})


def _title(pdf: Pdf) -> str | None:
    """Title from the document information, unless inserted by a program."""
    text = one_line(pdf.get_metadata_value("Title"))
    is_sensible = (
        2 < len(text) <= _LONGEST  # noqa: PLR2004 - shorter is no title
        and any(character.isalpha() for character in text)
        and not _PROGRAM.match(text)
        and not _FILE_NAME.search(text)
        and not _is_file_name(text)
    )
    return text if is_sensible else None


def _author(pdf: Pdf) -> str:
    """Author from the document information; empty if there is none."""
    text = one_line(pdf.get_metadata_value("Author"))
    return text if any(character.isalpha() for character in text) else ""


def _date(pdf: Pdf) -> dt.date | None:
    """Creation date from the document information, or else the modification date."""
    for name in ("CreationDate", "ModDate"):
        match = _DATE.match(pdf.get_metadata_value(name))
        if not match or not match[3]:
            continue
        try:
            day = dt.date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            continue
        if day.year >= _EARLIEST_YEAR:
            return day
    return None


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
