"""What recurs at the edges of the pages of a PDF: what is left out, and what is content."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pdf_files import RIGHT, Draw, by_page, made, write
from reportlab.pdfgen.canvas import Canvas
from whole import load_pdf

NAMES = ["Ada", "Berta", "Carla", "Dora", "Emma"]
BODY = " ".join(RIGHT)


def page(
    *top: str | tuple[str, str],
    bottom: Sequence[str | tuple[str, str]] = (),
    body: Sequence[str] = RIGHT,
) -> Draw:
    """A page with rows at its edges, some in two parts, at the left and at the right."""

    def draw(canvas: Canvas) -> None:
        rows = [(810 - 14 * at, row) for at, row in enumerate(top)]
        rows += [(58 - 14 * at, row) for at, row in enumerate(bottom)]
        for y, row in rows:
            left, right = (row, "") if isinstance(row, str) else row
            write(canvas, [left], y=y, size=8)
            write(canvas, [right], x=430, y=y, size=8)
        write(canvas, body, y=600)

    return draw


@pytest.mark.parametrize(
    "row",
    [
        "Order no. {}",
        "Customer {}: paid in full",
        ("Delivery note", "{}"),
        ("Statement", "number: {}"),
        ("Order:", "{}"),
    ],
)
@pytest.mark.parametrize("first", [3, 3050])
def test_a_number_in_words_is_content(row: str | tuple[str, str], first: int) -> None:
    """Bills in one file carry the number of the customer, which may count the pages."""
    rows = [
        row.format(first + at) if isinstance(row, str) else tuple(r.format(first + at) for r in row)
        for at in range(5)
    ]
    loaded = load_pdf(made(*(page("Mill and Sons Ltd., Leeds", one) for one in rows)))
    for one, text in zip(rows, by_page(loaded), strict=True):
        assert (one if isinstance(one, str) else " ".join(one)) in text.replace(" | ", " ")
        assert text.endswith(BODY)
        assert "Leeds" not in text


def test_a_sum_at_the_foot_is_content() -> None:
    """Sums that differ stay, and so does what is under them, up to the page number."""
    pages = [
        page(bottom=[("Total", f"{at * 7 + 20}.50"), ("Harbour Board", f"Page {at} of 1")])
        for at in range(1, 6)
    ]
    for number, text in enumerate(by_page(load_pdf(made(*pages))), 1):
        assert text.split("\n\n") == [BODY, f"Total {number * 7 + 20}.50"]


@pytest.mark.parametrize(
    ("odd", "even"),
    [
        ("Page {}", "Page {}"),
        ("Harbour Board - Seite {} von 90", "Harbour Board - Seite {} von 90"),
        (("Depths and tides", "{}"), ("{}", "Harbour Board")),
        (("Depths and tides", "2004 | {}"), ("{} | 2004", "Harbour Board")),
        ("{}", "{}"),
    ],
)
@pytest.mark.parametrize("first", [1, 411])
def test_page_numbers_go(
    odd: str | tuple[str, str], even: str | tuple[str, str], first: int
) -> None:
    """In words, alone, or beside a header, from whatever number they count."""
    pages = []
    for at in range(8):
        row = even if at % 2 else odd
        number = str(first + at)
        pages.append(
            page(row.format(number))
            if isinstance(row, str)
            else page((row[0].format(number), row[1].format(number)))
        )
    assert by_page(load_pdf(made(*pages))) == [BODY] * 8


def test_a_page_with_nothing_else_keeps_its_header() -> None:
    """Labels and tickets are printed one a page, alike or numbered."""
    alike = load_pdf(made(*[page("One free entry to the museum", body=())] * 4))
    assert by_page(alike) == ["One free entry to the museum"] * 4
    tickets = [f"Ticket {at}: {name} may enter" for at, name in enumerate(NAMES, 1)]
    assert by_page(load_pdf(made(*(page(one, body=()) for one in tickets)))) == tickets
    numbered = [f"Ticket {at}: one person may enter" for at in range(1, 6)]
    assert by_page(load_pdf(made(*(page(one, body=()) for one in numbered)))) == numbered


def test_a_page_number_alone_is_no_content() -> None:
    """An empty page stays empty, though its number is printed on it."""
    pages = [page(bottom=[str(at)], body=RIGHT if at != 3 else ()) for at in range(1, 6)]
    assert by_page(load_pdf(made(*pages))) == [BODY, BODY, "", BODY, BODY]
