"""Pages of several columns, with tables and figures in and across them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pytest
from pdf_files import LEFT, RIGHT, Draw, by_page, made, paragraphs
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from whole import load_pdf

FONT = "Times-Roman"
WORDS = [*LEFT[0].split(), *RIGHT[0].split()]


def lines(tag: str, width: float, size: float, *, ragged: bool = True) -> Iterator[str]:
    """Endless lines of text, up to ``width`` wide, each of which begins with its own number."""
    chosen = random.Random(tag)  # noqa: S311 (words, not secrets)
    for number in itertools.count():
        line = f"{tag}{number:02}"
        while True:
            longer = f"{line} {chosen.choice(WORDS)}"
            if stringWidth(longer, FONT, size) > width:
                break
            line = longer
            if ragged and stringWidth(line, FONT, size) > 0.8 * width and chosen.random() < 0.3:
                break
        yield line


def column(
    canvas: Canvas, tag: str, edges: tuple[float, float], top: float, count: int, *,
    size: float = 9, ragged: bool = True,
) -> list[str]:  # fmt: skip
    """Draw a column and return its lines."""
    x, width = edges[0], edges[1] - edges[0]
    drawn = list(itertools.islice(lines(tag, width, size, ragged=ragged), count))
    for at, line in enumerate(drawn):
        text = canvas.beginText(x, top - at * 1.2 * size)
        text.setFont(FONT, size)
        if not ragged:
            spare = width - stringWidth(line, FONT, size)
            text.setWordSpace(spare / max(line.count(" "), 1))
        text.textOut(line)
        canvas.drawText(text)
    return drawn


def column_edges(at: int, count: int) -> tuple[float, float]:
    """Left and right edge of one of several equal columns."""
    width = (515 - 16 * (count - 1)) / count
    return 40 + at * (width + 16), 40 + at * (width + 16) + width


def table(canvas: Canvas, places: list[float], top: float, rows: int) -> list[str]:
    """Draw short cells in columns at these places, and return the rows."""
    canvas.setFont(FONT, 9)
    for row in range(rows):
        for at, x in enumerate(places):
            canvas.drawString(x, top - row * 12, f"cell{row}{at}")
    return [" ".join(f"cell{row}{at}" for at in range(len(places))) for row in range(rows)]


def numbers(text: str) -> list[str]:
    """The beginnings of lines in a text, in its order."""
    return [word for word in text.split() if word[-1].isdigit()]


def expected(*drawn: list[str]) -> list[str]:
    """The beginnings of lines in the order in which they are to be read."""
    return [line.split()[0] for one in drawn for line in one]


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("ragged", [True, False])
@pytest.mark.parametrize("offset", [0, 5])
def test_columns_are_read_one_after_the_other(count: int, offset: float, *, ragged: bool) -> None:
    """Also if their lines are not at the same heights, and the last is shorter."""
    drawn: list[list[str]] = []

    def draw(canvas: Canvas) -> None:
        drawn.extend(
            column(
                canvas, f"c{at}", column_edges(at, count), 780 - at * offset,
                50 if at < count - 1 else 30, size=8, ragged=ragged,
            )
            for at in range(count)
        )  # fmt: skip

    assert numbers(load_pdf(made(draw)).text) == expected(*drawn)


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("cells", [3, 5])
def test_a_table_across_the_columns(count: int, cells: int) -> None:
    """A table whose caption spans the page is read row by row, after the columns above it."""
    drawn: list[list[str]] = []
    rows: list[str] = []

    def draw(canvas: Canvas) -> None:
        drawn.extend(
            column(canvas, f"c{at}", column_edges(at, count), 780, 40, size=8)
            for at in range(count)
        )
        rows.extend(table(canvas, [40 + at * 515 / cells for at in range(cells)], 300, 4))
        drawn.append(column(canvas, "caption", (40, 555), 245, 2))

    text = load_pdf(made(draw)).text
    for row in rows:
        assert row in text.replace(" | ", " ")
    assert numbers(text) == [
        *expected(*drawn[:-1]), *(cell for row in rows for cell in row.split()),
        *expected(drawn[-1]),
    ]  # fmt: skip


@pytest.mark.parametrize("count", [2, 3])
def test_a_table_in_a_column(count: int) -> None:
    """Its rows are whole and in their place, while the text beside it runs on."""
    drawn: list[list[str]] = []

    def draw(canvas: Canvas) -> None:
        drawn.append(column(canvas, "a", column_edges(0, count), 780, 20))
        drawn.append(table(canvas, [40, 40 + 260 / count], 540, 5))
        drawn.append(column(canvas, "b", column_edges(0, count), 450, 25))
        drawn.extend(
            column(canvas, f"c{at}", column_edges(at, count), 780, 55) for at in range(1, count)
        )

    text = load_pdf(made(draw)).text
    for row in drawn[1]:
        assert row in text.replace(" | ", " ")
    cells = [cell for row in drawn[1] for cell in row.split()]
    assert numbers(text) == [*expected(drawn[0]), *cells, *expected(*drawn[2:])]


def test_a_caption_stays_apart_from_the_text() -> None:
    """Of a narrow figure, around which the text of a column flows, and of a wide one."""
    drawn: list[list[str]] = []

    def draw(canvas: Canvas) -> None:
        drawn.append(column(canvas, "left", (50, 290), 780, 56, size=10, ragged=False))
        drawn.append(column(canvas, "wide", (306, 546), 780, 20, size=10, ragged=False))
        drawn.append(column(canvas, "thin", (306, 421), 540, 36, size=10, ragged=False))
        drawn.append(column(canvas, "Figure 5 ", (440, 546), 430, 10, size=8))

    text = load_pdf(made(draw)).text
    body = [word for word in numbers(text) if word[:4] in ("left", "wide", "thin")]
    assert body == expected(*drawn[:3])
    (caption,) = (one for one in paragraphs(load_pdf(made(draw))) if "Figure 5" in one)
    assert not any(tag in caption for tag in ("left", "wide", "thin"))


def test_a_column_that_is_mostly_a_table() -> None:
    """Columns are told apart though in one of them few lines are full."""
    drawn: list[list[str]] = []

    def draw(canvas: Canvas) -> None:
        canvas.setFont(FONT, 8)
        for at, name in enumerate(["Question", "Answer", "Truth"]):
            canvas.drawString(60, 780 - at * 110, name)
            column(canvas, f"{name[0]}", (180, 285), 780 - at * 110, 10, size=8)
        drawn.append(column(canvas, "left", (50, 290), 400, 16, size=10, ragged=False))
        drawn.append(column(canvas, "right", (306, 546), 777, 47, size=10, ragged=False))

    assert numbers(load_pdf(made(draw)).text)[-63:] == expected(*drawn)


def test_a_caption_in_pieces() -> None:
    """A line across the page is one, though formulas in it leave gaps."""
    rows = (
        "Figure 1: The first line of this caption goes from the left edge of the page to its right",
        "edge and so does the next one, which is broken up by a formula that is written",
        "and the last one is short.",
    )

    def draw(canvas: Canvas) -> None:
        canvas.setFont(FONT, 10)
        for at, row in enumerate(rows):
            canvas.drawString(50, 790 - at * 12, row)
        canvas.drawString(
            64 + stringWidth(rows[1], FONT, 10), 778, "in it, so that there is an odd space"
        )
        column(canvas, "left", (50, 290), 730, 40, size=10)
        column(canvas, "right", (306, 546), 730, 40, size=10)

    first, *others = paragraphs(load_pdf(made(draw)))
    assert first.endswith("written in it, so that there is an odd space and the last one is short.")
    assert not any("short" in one or "odd" in one for one in others)


def test_a_header_over_columns_goes() -> None:
    """A header is left out though it stands over columns, in parts."""

    def page(number: int, *, first: bool) -> Draw:
        def draw(canvas: Canvas) -> None:
            canvas.setFont(FONT, 9)
            canvas.drawString(60, 815, "Harbour Board")
            canvas.drawString(500, 815, str(number))
            if first:
                column(canvas, "one", (50, 540), 780, 40)
            else:
                column(canvas, "left", (50, 290), 780, 40)
                column(canvas, "right", (306, 546), 780, 40)

        return draw

    texts = by_page(load_pdf(made(*(page(at, first=at < 4) for at in range(1, 6)))))
    assert not any("Harbour Board" in text for text in texts)
