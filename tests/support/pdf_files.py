"""PDF files for the tests, and what is looked for in them."""

from __future__ import annotations

import io
import itertools
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Container, Iterable
from pathlib import Path

import pytest
from PIL import Image
from pypdfium2 import PdfDocument
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from whole import load_pdf

from rag.documents.loaded import Loaded

PAPERS = Path(__file__).parents[3] / "shared" / "data" / "aragog"


WIDTH, _HEIGHT = 595, 842


LEADING = 12


Draw = Callable[[Canvas], None]


def made(*pages: Draw, info: dict[str, str] | None = None, **options: object) -> bytes:
    """A PDF whose pages these functions draw."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(WIDTH, _HEIGHT), invariant=True, **options)
    for name, value in (info or {}).items():
        getattr(canvas, f"set{name}")(value)
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def write(
    canvas: Canvas,
    lines: Iterable[str],
    *,
    x: float = 72,
    y: float = 770,
    size: float = 10,
    font: str = "Helvetica",
) -> None:
    """Draw lines, one below the other."""
    canvas.setFont(font, size)
    for at, line in enumerate(lines):
        canvas.drawString(x, y - at * LEADING, line)


def drawn(*lines: str, **options: object) -> Draw:
    """A page of lines."""
    return lambda canvas: write(canvas, lines, **options)  # type: ignore[arg-type]


def picture(canvas: Canvas) -> None:
    """Draw a picture over the whole page."""
    canvas.drawImage(ImageReader(Image.new("L", (60, 80), 200)), 0, 0, WIDTH, _HEIGHT)


def paragraphs(loaded: Loaded) -> list[str]:
    """The paragraphs of what was read."""
    return loaded.text.split("\n\n")


def headings(loaded: Loaded) -> list[tuple[int, str]]:
    """Its headings, with their levels."""
    return [(heading.level, heading.span.of(loaded.text)) for heading in loaded.headings]


def by_page(loaded: Loaded) -> list[str]:
    """Its text, page by page."""
    return [span.of(loaded.text).strip() for span in loaded.pages]


def assert_covered(loaded: Loaded) -> None:
    """The pages stand side by side and cover all of the text."""
    assert loaded.pages[0].start == 0
    assert loaded.pages[-1].end == len(loaded.text)
    for before, after in itertools.pairwise(loaded.pages):
        assert before.end == after.start


LEFT = [
    "The survey of the harbour began in the spring",
    "and was done by three people with two boats.",
    "They measured the depth at each of the piers",
    "and wrote down what the tide did to every one",
    "of the moorings that lie along the north quay,",
    "which took them the better part of two months",
    "because the weather was bad for the season and",
]


RIGHT = [
    "because one of the boats had to be mended once.",
    "The results were printed in the autumn, in two",
    "volumes with a map that shows the deep channel.",
    "Whoever wants to enter by night is told to keep",
    "the white light of the church in line with the",
    "red one of the customs house until the first of",
    "the buoys comes into sight on the starboard bow.",
]


def two_columns(canvas: Canvas) -> None:
    """Draw a page of two columns below a title."""
    write(canvas, ["A Survey of the Harbour at Night"], x=170, size=18, font="Helvetica-Bold")
    # Row by row, as some programs write them.
    for at, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
        write(canvas, [left], x=60, y=700 - at * LEADING)
        write(canvas, [right], x=310, y=700 - at * LEADING)


def by_hand(content: bytes, cmap: bytes) -> bytes:
    """A PDF of one page whose font tells by ``cmap`` which letters it draws."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
            b"/Resources<</Font<</F1 5 0 R>>>>>>"
        ),
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(cmap), cmap),
    ]
    data = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return data + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
        % (len(objects) + 1, table, len(objects) + 1, len(data))
    )


def scanned(
    data: bytes, *, pages: Container[int] = range(1_000), quarters: int = 0, dpi: int = 200
) -> bytes:
    """A PDF in which some pages, counted from 0, are pictures of what they were, as a scanner
    makes them; each lies turned by so many ``quarters``, anticlockwise.
    """
    old, new = PdfDocument(data), PdfDocument.new()
    for number, page in enumerate(old):
        if number in pages:
            image = page.render(scale=dpi / 72, grayscale=True).to_pil()
            buffer = io.BytesIO()
            image.rotate(90 * quarters, expand=True).save(buffer, "PDF", resolution=dpi)
            new.import_pages(PdfDocument(buffer.getvalue()))
        else:
            new.import_pages(old, [number])
    buffer = io.BytesIO()
    new.save(buffer)
    return buffer.getvalue()


def pages_of(data: bytes, pages: Iterable[int]) -> bytes:
    """A PDF of these pages, counted from 0, of another."""
    new = PdfDocument.new()
    new.import_pages(PdfDocument(data), list(pages))
    buffer = io.BytesIO()
    new.save(buffer)
    return buffer.getvalue()


def catalogued(data: bytes, entries: bytes) -> bytes:
    """The PDF with more entries in its catalog."""
    changed = re.sub(rb"/Type\s*/Catalog", b"/Type /Catalog " + entries, data)
    buffer = io.BytesIO()
    PdfDocument(changed).save(buffer)
    return buffer.getvalue()


needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None and not os.environ.get("CI"),
    reason="no tesseract is installed: apt-get install tesseract-ocr",
)


WHOLE = made(two_columns, drawn(*LEFT), picture, pageCompression=0)


papers = pytest.mark.skipif(not PAPERS.is_dir(), reason="the papers of ARAGOG are not there")


def paper(name: str) -> Loaded:
    """One of the real papers, read."""
    return load_pdf((PAPERS / "files" / f"{name}.pdf").read_bytes())


def words(text: str) -> Counter[str]:
    """How often each word stands in a text."""
    return Counter(word.casefold() for word in re.findall(r"[^\W\d_]{3,}", text))
