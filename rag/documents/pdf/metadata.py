"""What a PDF says about itself: title, author, date, and the labels of its pages."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

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


def title(pdf: Pdf) -> str | None:
    """The title in the PDF's own information, unless a program put it there unasked."""
    said = one_line(pdf.get_metadata_value("Title"))
    is_sensible = (
        2 < len(said) <= _LONGEST  # noqa: PLR2004 - shorter is no title
        and any(character.isalpha() for character in said)
        and not _PROGRAM.match(said)
        and not _FILE_NAME.search(said)
        and not _is_name(said)
    )
    return said if is_sensible else None


def author(pdf: Pdf) -> str:
    """The author in the PDF's own information, or nothing."""
    said = one_line(pdf.get_metadata_value("Author"))
    return said if any(character.isalpha() for character in said) else ""


def date(pdf: Pdf) -> dt.date | None:
    """The day on which the PDF was made, or else last changed, in its own information."""
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
    """The labels that the PDF gives some of its pages, or none at all where it gives none."""
    if not numbers or not pdf.get_page_label(0):
        return ()
    return tuple(one_line(pdf.get_page_label(page)) for page in numbers)


def _is_name(said: str) -> bool:
    """Whether it looks like the name of a file or a code: one word with figures or strokes."""
    return not any(map(str.isspace, said)) and bool(re.search(r"[\d_/\\]", said))


def ranges(pages: Sequence[int]) -> str:
    """Pages, counted from 0, as people name them: "3 to 5" with a dash, and commas between."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][1] + 1:
            runs[-1][1] = page
        else:
            runs.append([page, page])
    return ", ".join(
        f"{first + 1}" if first == last else f"{first + 1}\u2013{last + 1}" for first, last in runs
    )
