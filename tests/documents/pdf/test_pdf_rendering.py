"""Pages of PDFs as pictures, and boxes where words were drawn."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pytest
from pdf_files import LEADING, LEFT, RIGHT, WHOLE, WIDTH, Draw, drawn, made, write
from PIL import Image
from pypdfium2 import PdfDocument
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from whole import load_pdf

from rag import Document, InputError, Span
from rag.documents.pdf.file import open_pdf
from rag.documents.pdf.rendering import Box, PageText, find_lines, fold, locate, page_image
from rag.documents.sandbox.page_viewer import text_on_page

HEIGHT = 842
ARGUMENT = ("The harbour is deep. The survey of it was done", "by three people. It took a month.")
SENTENCE = "The survey of it was done by three people."


def boxes(data: bytes, words: str, index: int = 0, before: str = "", after: str = "") -> list[Box]:
    """The boxes of words on a page, with what stands before and after them in its text."""
    start, end = len(before), len(before) + len(words)
    with open_pdf(data) as pdf:
        return list(locate(pdf, index, PageText(before + words + after, start, end)))


def points(box: Box, width: float = WIDTH, height: float = HEIGHT) -> tuple[float, ...]:
    """Its left, bottom, right and top edge, in points from the lower left corner."""
    left, top = box.x * width, (1 - box.y) * height
    return left, top - box.height * height, left + box.width * width, top


def line_at(before: str, words: str, x: float, y: float, size: float = 10) -> tuple[float, ...]:
    """The edges of words that were drawn in Helvetica behind others, on a line at this height."""
    left = x + stringWidth(before, "Helvetica", size)
    right = left + stringWidth(words, "Helvetica", size)
    return left, y - 0.25 * size, right, y + 0.85 * size


def assert_at(found: Sequence[Box], *lines: tuple[float, ...]) -> None:
    """There is a box for each line, within a point."""
    assert len(found) == len(lines)
    for box, line in zip(found, lines, strict=True):
        assert points(box) == pytest.approx(line, abs=1)


def read(data: bytes) -> Document:
    """The document that a PDF is read as."""
    loaded = load_pdf(data)
    return Document("d", "d.pdf", "", loaded.text, "d", pages=loaded.pages)


def sentence_boxes(data: bytes, sentence: str, index: int) -> list[Box]:
    """The boxes on a page of what is a sentence of the text that was read."""
    document = read(data)
    start = document.text.index(sentence)
    sought = text_on_page(document, index, Span(start, start + len(sentence)))
    with open_pdf(data) as pdf:
        return list(locate(pdf, index, sought))


def changed(data: bytes, quarters: int, crop: tuple[float, ...] | None = None) -> bytes:
    """The PDF with its first page turned clockwise, and cropped, as viewers do it."""
    pdf = PdfDocument(data)
    page = pdf[0]
    page.set_rotation(90 * quarters)
    if crop:
        page.set_cropbox(*crop)
    buffer = io.BytesIO()
    pdf.save(buffer)
    pdf.close()
    return buffer.getvalue()


def drawn_image(data: bytes, width: int = 1190) -> Image.Image:
    """The picture of the first page."""
    with open_pdf(data) as pdf:
        image = page_image(pdf, 0, width)
    shown = Image.open(io.BytesIO(image.png))
    assert shown.size == (image.width, image.height)
    return shown


def test_a_box_for_each_line() -> None:
    """From the first letter of the sentence to its full stop, and no further."""
    found = boxes(made(drawn(*ARGUMENT)), SENTENCE)
    assert_at(
        found,
        line_at("The harbour is deep. ", "The survey of it was done", 72, 770),
        line_at("", "by three people.", 72, 770 - LEADING),
    )


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("crop", [None, (60, 500, 400, 800)])
@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_boxes_lie_on_the_ink(quarters: int, crop: tuple[float, ...] | None, angle: int) -> None:
    """However the page is turned or cropped, and whichever way the line runs on it."""

    def draw(canvas: Canvas) -> None:
        canvas.setFillGray(0.75)
        write(canvas, ["What stands above the line"], x=120, y=790)
        canvas.setFillGray(0)
        canvas.translate(230, 640)
        canvas.rotate(angle)
        canvas.drawString(-60, 0, "Which is the deepest harbour?")

    data = changed(made(draw), quarters, crop)
    (box,) = boxes(data, "Which is the deepest harbour?")
    shown = drawn_image(data)
    dark = np.asarray(shown.convert("L")) < 100
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    across, down = shown.size
    ink = (columns[0] / across, rows[0] / down, columns[-1] / across, rows[-1] / down)
    edges = (box.x, box.y, box.x + box.width, box.y + box.height)
    point = max(1 / across, 1 / down) * across / (340 if crop else WIDTH)
    assert edges == pytest.approx(ink, abs=3 * point)
    assert box.x - point < ink[0] <= ink[2] < edges[2] + point
    assert box.y - point < ink[1] <= ink[3] < edges[3] + point


def test_cropped_away() -> None:
    """Of a line that the crop cuts, the box ends at the edge; of one outside there is none."""
    data = changed(made(drawn(*ARGUMENT)), 0, (0, 768, 200, 842))
    (box,) = boxes(data, SENTENCE)
    left, _, _, top = line_at("The harbour is deep. ", "", 72, 770)
    assert (box.x * 200, (box.x + box.width) * 200) == pytest.approx((left, 200), abs=1)
    assert (1 - box.y) * 74 == pytest.approx(top - 768, abs=1)


def test_mended_words() -> None:
    """Hyphens at the ends of lines are not in the text, and hard ones are."""
    lines = ("Nobody knows the inter-", "national rules of the well-", "known port. Not even he.")
    found = boxes(
        made(drawn(*lines)), "Nobody knows the international rules of the well-known port."
    )
    assert_at(
        found,
        line_at("", "Nobody knows the inter-", 72, 770),
        line_at("", "national rules of the well-", 72, 770 - LEADING),
        line_at("", "known port.", 72, 770 - 2 * LEADING),
    )


def test_over_two_pages() -> None:
    """On each page, the part that is there; page numbers and headers are not in the way."""
    first = [*LEFT, "the tide, which is stronger here than it was in any"]
    second = ["of the other harbours that they had seen. So they left."]

    def paged(lines: Sequence[str], number: int) -> Draw:
        def draw(canvas: Canvas) -> None:
            write(canvas, ["The Survey of the Harbour"], y=810)
            write(canvas, lines)
            write(canvas, [str(number)], x=300, y=30)

        return draw

    data = made(*(paged(lines, number) for number, lines in enumerate((first, second, LEFT), 1)))
    start = "They measured the depth"
    sentence = " ".join([*LEFT[2:], first[-1], second[0]]).partition(" So they left.")[0]
    assert sentence.startswith(start)
    assert_at(
        sentence_boxes(data, sentence, 0),
        *(line_at("", line, 72, 770 - at * LEADING) for at, line in enumerate(first) if at > 1),
    )
    assert_at(
        sentence_boxes(data, sentence, 1),
        line_at("", "of the other harbours that they had seen.", 72, 770),
    )
    assert sentence_boxes(data, sentence, 2) == []


def test_word_over_two_pages() -> None:
    """The half of a word that stands on the next page is no reason to box nothing."""
    first = [*LEFT, "their map of the channel, which is better than all inter-"]
    second = ["national maps of the coast. Whoever sails there should buy", "it soon."]
    data = made(drawn(*first), drawn(*second))
    sentence = "They measured " + " ".join([*LEFT[2:], first[-1]]).partition("measured ")[2][:-1]
    sentence += "national maps of the coast."
    assert_at(
        sentence_boxes(data, sentence, 0),
        *(line_at("", line, 72, 770 - at * LEADING) for at, line in enumerate(first) if at > 1),
    )


def test_two_columns_row_by_row() -> None:
    """A sentence goes on below, though the file has the other column's line in between."""
    sentence = " ".join([*LEFT[2:], RIGHT[0]])
    lefts = [line_at("", line, 60, 700 - at * LEADING) for at, line in enumerate(LEFT) if at > 1]
    assert_at(sentence_boxes(WHOLE, sentence, 0), *lefts, line_at("", RIGHT[0], 310, 700))


def test_the_right_one_of_several() -> None:
    """The same words three times: what stands around them tells which are meant."""
    lines = (
        "It was cold there. Nobody came. The inn was shut.",
        "It was late. Nobody came. We left.",
    )
    data = made(drawn(*lines, "Nobody came."))
    for before, after, place in (
        (
            "It was cold there.",
            "The inn was shut.",
            line_at("It was cold there. ", "Nobody came.", 72, 770),
        ),
        ("It was late.", "We left.", line_at("It was late. ", "Nobody came.", 72, 758)),
        (" ".join(lines), "", line_at("", "Nobody came.", 72, 746)),
    ):
        assert_at(boxes(data, "Nobody came.", before=before, after=after), place)


@pytest.mark.parametrize(
    "words",
    [
        "Nothing of the kind was ever said about it.",
        "The survey of the town was done by nobody.",
        "our is",  # letters of the page, but no words
        "…",
        "",
    ],
)
def test_not_there(words: str) -> None:
    """Rather no box than a wrong one."""
    assert boxes(made(drawn(*ARGUMENT)), words) == []


def test_scan() -> None:
    """A page that is only a picture is shown, and has no boxes."""
    assert boxes(WHOLE, LEFT[0], index=2) == []
    with open_pdf(WHOLE) as pdf:
        shown = Image.open(io.BytesIO(page_image(pdf, 2, 300).png))
    assert shown.getpixel((150, 200)) == (200, 200, 200)


def test_picture() -> None:
    """As wide as asked for, black on white, and in its colours."""

    def draw(canvas: Canvas) -> None:
        canvas.setFillColorRGB(1, 0, 0)
        canvas.rect(100, 100, 50, 50, stroke=0, fill=1)
        canvas.setFillGray(0)
        canvas.rect(300, 700, 50, 50, stroke=0, fill=1)

    shown = drawn_image(made(draw), WIDTH)
    assert shown.size == (WIDTH, HEIGHT)
    places = [(10, 10), (125, HEIGHT - 125), (325, HEIGHT - 725)]
    assert [shown.getpixel(place) for place in places] == [(255,) * 3, (255, 0, 0), (0,) * 3]
    assert [drawn_image(made(draw), width).width for width in (50, 777, 3000)] == [50, 777, 3000]


def test_huge_page() -> None:
    """A strip a thousand times as high as wide does not fill the memory."""
    canvas = Canvas(buffer := io.BytesIO(), pagesize=(14, 14_000))
    canvas.showPage()
    canvas.save()
    shown = drawn_image(buffer.getvalue(), 3000)
    assert shown.height <= 16_000
    assert shown.width * shown.height <= 16_000_000


def test_what_is_asked_for_must_be() -> None:
    """The errors say what there is."""
    with open_pdf(WHOLE) as pdf:
        for width in (49, 3001, -1):
            with pytest.raises(InputError, match=f"50 to 3000 pixels wide, not {width}"):
                page_image(pdf, 0, width)
        for index in (-1, 3):
            with pytest.raises(InputError, match=f"no page {index + 1}; the file has 3 pages"):
                page_image(pdf, index, 600)
            with pytest.raises(InputError, match=f"no page {index + 1}; the file has 3 pages"):
                locate(pdf, index, PageText("words", 0, 5))
    with pytest.raises(InputError, match="no page 4 in this document"):
        text_on_page(read(WHOLE), 3, Span(0, 1))


def test_part_on_the_page() -> None:
    """What of a range stands there, and what around it; nothing where all is elsewhere."""
    document = Document(
        "d", "d", "", "One two. Three four.", "d", pages=(Span(0, 12), Span(12, 20))
    )
    first, second = "One two. Thr", "ee four."
    assert text_on_page(document, 0, Span(9, 20)) == PageText(first, 9, 12)
    assert text_on_page(document, 1, Span(9, 14)) == PageText(second, 0, 2)
    assert text_on_page(document, 1, Span(0, 8)) == PageText(second, 0, 0)
    assert text_on_page(document, 0, Span(13, 20)) == PageText(first, 12, 12)


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("Of\ufb01ce: 2.5 mm²!", "office25mm2"),
        ("Café, cafe\u0301", "cafecafe"),
        ("Straße", "strasse"),
        ("\U0001d465 → \u202ey", "xy"),
    ],
)
def test_letters_compared(text: str, letters: str) -> None:
    """Ligatures, accents, raised numbers and signs look different in files than in texts."""
    assert fold(text) == letters


def test_made_to_take_long() -> None:
    """A page of lines alike, any of which may go on with any other, is given up on."""
    assert list(find_lines("a" * 50_000, ["a" * 12] * 1_000)) == []
