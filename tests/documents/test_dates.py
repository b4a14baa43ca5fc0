"""A document's date: stated in it, in its file's name, or only that of the file."""

from __future__ import annotations

import datetime as dt
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document as Word
from pptx import Presentation

from rag import Library
from rag.documents.dates import date_in_name, date_line
from rag.documents.formats.docx import load_docx
from rag.documents.formats.pptx import load_pptx

DAY = dt.date(2023, 11, 7)


@pytest.mark.parametrize(
    ("line", "date"),
    [
        ("Date: 7 November 2023 meeting of the board", DAY),
        ("**Datum:** 07.11.2023", DAY),
        ("Kiel, 7 November 2023", DAY),
        ("Tuesday, November 7th, 2023", DAY),
        ("## 2023-11-07", DAY),
        ("On 7 November 2023 the board met", None),
        ("Date: soon", None),
        ("03.14.2023", None),
        ("Version 2023-11-07 of the rules", None),
    ],
)
def test_date_lines(line: str, date: dt.date | None) -> None:
    """Dates of a document stand alone on a line or are labelled; others are what it is about."""
    assert date_line(f"Minutes\n\n{line}\n\nPresent: all") == date


def test_only_the_beginning_has_a_date_line() -> None:
    """Further down, a date is that of something else."""
    assert date_line("word\n" * 30 + "7 November 2023") is None


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("Minutes 2023-11-07.txt", DAY),
        ("20231107_report.pdf", DAY),
        ("IMG_20231107_121314.jpg", DAY),
        ("Protokoll 07.11.2023", DAY),
        ("2023.11.07", DAY),
        ("report 2023-11.pdf", None),
        ("invoice 20231399.pdf", None),
        ("120231107.txt", None),
        ("2023-1107.txt", None),
    ],
)
def test_dates_in_names(name: str, date: dt.date | None) -> None:
    """Only whole dates count, and no digits of a longer number."""
    assert date_in_name(name) == date


def test_a_template_has_no_date() -> None:
    """Files made by programs carry their template's date, which is nobody's."""
    made, shown = BytesIO(), BytesIO()
    word = Word()
    word.add_paragraph("The lamp is lit.")
    word.save(made)
    deck = Presentation()
    deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = "Lamps"
    deck.save(shown)
    assert load_docx(made.getvalue()).date is None
    assert load_pptx(shown.getvalue()).date is None


def test_filters_and_lists_go_by_own_dates(library: Library, tmp_path: Path) -> None:
    """The name's date counts where the text has none; the file's time is only shown."""
    for name, text in (
        ("Minutes 2023-11-07.txt", "The board met about lamps."),
        ("letter 2023-11-08.txt", "Kiel, 1 March 2024\n\nThe lamps have come."),
        ("notes.txt", "The lamps are broken."),
    ):
        (tmp_path / name).write_text(text)
    library.index(tmp_path)
    found = [(Path(one.source).name[:5], one.date_from) for one in library.documents()]
    assert found == [("lette", "document"), ("Minut", "file name"), ("notes", "file time")]
    since = library.documents(since=dt.date(2023, 1, 1))
    assert [Path(one.source).name[:5] for one in since] == ["lette", "Minut"]
    assert [one.date for one in library.search("lamps", until=DAY)] == [DAY]
    by_file = library.documents(since=DAY, where={"date_from": "file time"})
    assert [Path(one.source).name for one in by_file] == ["notes.txt"]
