"""Bookmarks of PDFs: which paragraphs they make headings, and of what level."""

from __future__ import annotations

import pytest
from pdf_files import LEFT, RIGHT, Draw, headings, made, write
from reportlab.pdfgen.canvas import Canvas
from whole import load_pdf

from rag.documents.loaded import Loaded

TITLE = "A Survey of the Harbour at Night"
SECTIONS = ("1 Introduction", "2. The boats", "2.1 What they did", "3 What was found")


def survey(canvas: Canvas) -> None:
    """Draw a title, and sections whose names are printed as the text is, but stand apart."""
    write(canvas, [TITLE], y=800, size=18)
    for at, name in enumerate(SECTIONS):
        write(canvas, [name], y=750 - 160 * at)
        write(canvas, LEFT, y=720 - 160 * at)


def second(canvas: Canvas) -> None:
    """Draw a page with a section that has the name of another, and large words in a figure."""
    write(canvas, ["3 What was found"], y=770)
    write(canvas, RIGHT, y=740)
    write(canvas, ["Depth of the Channel"], y=600, size=14)
    write(canvas, LEFT, y=570)


def read(*outline: tuple[str, int, int]) -> Loaded:
    """The two pages, read, with an outline: titles, levels from 0 and pages from 0."""

    def begun(number: int, draw: Draw) -> Draw:
        def drawn(canvas: Canvas) -> None:
            for key, (title, level, page) in enumerate(outline):
                if page == number:
                    canvas.bookmarkPage(str(key))
                if number == 0:
                    canvas.addOutlineEntry(title, str(key), level)
            draw(canvas)

        return drawn

    return load_pdf(made(begun(0, survey), begun(1, second)))


def test_levels_are_those_of_the_outline() -> None:
    """Names are found on their pages, whatever their numbers, and however they are printed."""
    assert headings(
        read(
            ("Introduction", 0, 0),
            ("2 The Boats", 0, 0),
            ("What they did", 1, 0),
            ("3. What was found", 0, 0),
            ("Nowhere to be seen", 1, 0),
            ("What was found", 1, 1),
        )
    ) == [
        (1, TITLE),
        (2, "1 Introduction"),
        (2, "2. The boats"),
        (3, "2.1 What they did"),
        (2, "3 What was found"),
        (3, "3 What was found"),
    ]


def test_title_in_the_outline() -> None:
    """Where the outline begins with the title, all others are below it as they stand there."""
    assert headings(
        read((TITLE, 0, 0), ("Introduction", 1, 0), ("The boats", 1, 0), ("What they did", 2, 0))
    ) == [(1, TITLE), (2, "1 Introduction"), (2, "2. The boats"), (3, "2.1 What they did")]


def test_large_words_that_it_does_not_name() -> None:
    """They are no heading, unless those that it names look alike."""
    by_looks = [(1, TITLE), (2, "1 Introduction"), (2, "Depth of the Channel")]
    assert headings(read()) == by_looks
    found = headings(read(("Introduction", 0, 0), ("Depth of the channel", 1, 1)))
    assert (3, "Depth of the Channel") in found
    found = headings(read(("Introduction", 0, 0), ("The boats", 0, 0)))
    assert "Depth of the Channel" not in dict(map(reversed, found))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "outline",
    [
        [("Cover", 0, 0), ("Imprint", 0, 1), ("The boats", 0, 0)],
        [("The boats", 0, 1), ("What they did", 1, 1)],
    ],
)
def test_outline_of_something_else(outline: list[tuple[str, int, int]]) -> None:
    """One whose names are mostly not found, or not where it says, is disregarded."""
    assert headings(read(*outline)) == headings(read())
