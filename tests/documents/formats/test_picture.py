"""Pictures: files of their own and those in documents, read by each engine for OCR."""

from __future__ import annotations

import datetime as dt
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import docx
import pptx
import pytest
from docx.shared import Inches
from many_files import zipped
from PIL import Image, ImageDraw, ImageFont

from rag import Library
from rag.documents.formats.docx import load_docx
from rag.documents.formats.opendocument import load_odp, load_odt
from rag.documents.formats.picture import Pictures, load_picture
from rag.documents.formats.pptx import load_pptx
from rag.documents.pdf.ocr import BY_OCR, RAPID, check_languages
from rag.documents.read_options import NEEDED, ONLY_PICTURES
from rag.errors import InputError, LoadError, UnknownFormat

LINE = "The lamp was lit with whale oil"


def available() -> Iterator[str]:
    """The engines that are installed here."""
    for languages in ("eng", RAPID):
        try:
            yield check_languages(languages)
        except InputError:
            continue


ENGINES = [*available()]
OCR = ENGINES[0]


def _drawn(*lines: str, mode: str = "L") -> Image.Image:
    image = Image.new(mode, (900, 60 * len(lines) + 80), "white")
    font = ImageFont.load_default(36)
    for number, line in enumerate(lines):
        ImageDraw.Draw(image).text((40, 40 + 60 * number), line, fill="black", font=font)
    return image


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _exif(tags: dict[int, int]) -> Image.Exif:
    exif = Image.Exif()
    exif.update(tags)
    return exif


PICTURE = _saved(_drawn(LINE), "PNG")
BLANK = _saved(Image.new("L", (400, 300), "white"), "PNG")


def _read(data: bytes, ocr: str | None = OCR) -> str:
    (loaded,) = load_picture(data, pictures=Pictures(ocr))
    return loaded.text


@pytest.mark.parametrize("ocr", ENGINES)
def test_each_engine_reads_a_paragraph(ocr: str) -> None:
    """Its lines become one, and the doubt is told."""
    lines = (LINE, "until the spring of 1861, and with", "paraffin from then on.")
    (loaded,) = load_picture(_saved(_drawn(*lines), "PNG"), pictures=Pictures(ocr))
    assert loaded.text == " ".join(lines)
    assert loaded.warnings == (BY_OCR,)


@pytest.mark.skipif(RAPID not in ENGINES, reason="RapidOCR is not installed: pip install rag[ocr]")
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_rapid_ocr_turns_pictures(quarters: int) -> None:
    """As tesseract does."""
    image = _drawn(LINE, "until the spring of 1861").rotate(90 * quarters, expand=True)
    assert _read(_saved(image, "PNG"), RAPID) == f"{LINE} until the spring of 1861"


@pytest.mark.parametrize(
    "data",
    [
        _saved(_drawn(LINE, mode="RGB"), "JPEG"),
        _saved(_drawn(LINE), "WEBP"),
        _saved(_drawn(LINE), "BMP"),
        _saved(_drawn(LINE), "GIF", save_all=True, append_images=[_drawn("another frame")]),
        _saved(_drawn(LINE).convert("1"), "TIFF", compression="group4"),
        _saved(_drawn(LINE).convert("I;16").point(lambda value: value * 256), "TIFF"),
        _saved(Image.composite(_drawn(LINE), _drawn(LINE), _drawn(LINE)).convert("LA"), "PNG"),
        _saved(_drawn(LINE).rotate(90, expand=True), "JPEG", exif=_exif({0x112: 6})),
    ],
    ids=["jpeg", "webp", "bmp", "gif", "fax", "16 bits", "transparent", "turned"],
)
def test_every_format(data: bytes) -> None:
    """In grey, upright, on white; of several frames the first."""
    assert _read(data) == LINE


def test_pages_of_a_tiff() -> None:
    """Each is a page; what came of it is said by page."""
    others = [Image.open(io.BytesIO(BLANK)), _drawn("Mind the tide")]
    data = _saved(_drawn(LINE), "TIFF", save_all=True, append_images=others)
    (loaded,) = load_picture(data, pictures=Pictures(OCR))
    assert [page.of(loaded.text).strip() for page in loaded.pages] == [LINE, "", "Mind the tide"]
    assert loaded.warnings == (f"pages 1, 3: {BY_OCR}", "page 2: OCR found no text")


def test_a_photo_has_a_date() -> None:
    """That at which it was taken."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[36867] = "2023:11:07 12:13:14"
    (loaded,) = load_picture(_saved(_drawn(LINE), "JPEG", exif=exif), pictures=Pictures(OCR))
    assert (loaded.date, loaded.metadata) == (dt.date(2023, 11, 7), {"date_from": "file"})


def test_pictures_that_are_not_read() -> None:
    """Without text, damaged, or too large to decode, whatever they claim."""
    with pytest.raises(UnknownFormat, match="without text"):
        _read(BLANK)
    for broken in (b"", PICTURE[:200], b"II*\0\x08\0\0\0" + bytes(20)):
        with pytest.raises(LoadError, match="can't be read as a picture"):
            _read(broken)
    huge = bytearray(PICTURE)
    for size in (9_000, 60_000):
        huge[16:24] = 2 * size.to_bytes(4, "big")
        huge[29:33] = zlib.crc32(huge[12:29]).to_bytes(4, "big")
        with pytest.raises(LoadError, match="more than 50 million pixels"):
            _read(bytes(huge))


def test_a_large_photo_is_decoded_smaller() -> None:
    """A JPEG of more pixels than fit is read all the same."""
    image = Image.new("L", (9_000, 8_000), "white")
    image.paste(_drawn(LINE).resize((9_000, 1_400)), (0, 1_000))
    assert _read(_saved(image, "JPEG")) == LINE


def _word(*pictures: bytes, text: str = "") -> bytes:
    document = docx.Document()
    if text:
        document.add_paragraph(text)
    for picture in pictures:
        document.add_picture(io.BytesIO(picture), width=Inches(5))
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_pictures_in_a_word_document() -> None:
    """Their text follows their paragraph, each picture once; what came of them is counted."""
    icon = _saved(Image.new("L", (20, 20)), "PNG")
    data = _word(PICTURE, BLANK, PICTURE, icon, text="The log.")
    loaded = load_docx(data, pictures=Pictures(OCR))
    assert loaded.text == f"The log.\n\n{LINE}"
    assert loaded.warnings == (f"1 picture: {BY_OCR}", "1 picture: OCR found no text")
    assert load_docx(data).warnings == (f"2 pictures: {NEEDED}",)


def test_a_scan_in_a_word_document() -> None:
    """Read if there is OCR; else what it takes is said; a picture of nothing is no text."""
    assert load_docx(_word(PICTURE), pictures=Pictures(OCR)).text == LINE
    with pytest.raises(LoadError, match=re.escape(ONLY_PICTURES)):
        load_docx(_word(PICTURE))
    with pytest.raises(LoadError, match=r"only pictures.*1 picture: OCR found no text"):
        load_docx(_word(BLANK), pictures=Pictures(OCR))


def test_pictures_on_slides() -> None:
    """On their slide."""
    deck = pptx.Presentation()
    for picture in (PICTURE, _saved(_drawn("Mind the tide"), "PNG")):
        slide = deck.slides.add_slide(deck.slide_layouts[6])
        slide.shapes.add_picture(io.BytesIO(picture), 0, 0)
    buffer = io.BytesIO()
    deck.save(buffer)
    loaded = load_pptx(buffer.getvalue(), pictures=Pictures(OCR))
    assert [page.of(loaded.text) for page in loaded.pages] == [LINE, "Mind the tide"]
    with pytest.raises(LoadError, match=re.escape(ONLY_PICTURES)):
        load_pptx(buffer.getvalue())


@pytest.mark.parametrize(
    ("load", "kind", "body"),
    [
        (load_odt, "text", "<text:p>{}</text:p>"),
        (load_odp, "presentation", "<draw:page>{}</draw:page>"),
    ],
)
def test_pictures_in_opendocument(load: object, kind: str, body: str) -> None:
    """As in Word and PowerPoint."""
    names = {
        "office": "office",
        "text": "text",
        "draw": "drawing",
    }
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for short, name in names.items()
    )
    image = '<draw:frame><draw:image xlink:href="Pictures/1.png"/></draw:frame>'
    data = zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "Pictures/1.png": PICTURE,
            "content.xml": f'<office:document-content {spaces} xmlns:xlink="http://www.w3.org/1999/'
            f'xlink"><office:body><office:{kind}>{body.format(image)}</office:{kind}>'
            "</office:body></office:document-content>",
        }
    )
    assert load(data, pictures=Pictures(OCR)).text == LINE  # type: ignore[operator]
    with pytest.raises(LoadError, match=re.escape(ONLY_PICTURES)):
        load(data)  # type: ignore[operator]


def test_pictures_wait_for_ocr_and_stay(library: Library, tmp_path: Path) -> None:
    """A folder's pictures are skipped without OCR, read with it, and then kept without it."""
    (tmp_path / "lamp.png").write_bytes(PICTURE)
    (tmp_path / "blank.png").write_bytes(BLANK)
    assert len(library.index(tmp_path, ocr=False).skipped) == 2
    report = library.index(tmp_path)
    assert [Path(one).name for one in report.added] == ["lamp.png"]
    assert [(Path(one.source).name, one.kind) for one in report.skipped] == [
        ("blank.png", "unsupported")
    ]
    assert library.index(tmp_path, ocr=False).removed == ()
    assert "whale oil" in library.search("What was burnt in the lamp?")[0].text
    (tmp_path / "lamp.png").unlink()
    assert len(library.index(tmp_path, ocr=False).removed) == 1


@pytest.mark.skipif(RAPID not in ENGINES, reason="RapidOCR is not installed: pip install rag[ocr]")
def test_rapid_ocr_without_tesseract(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is used where there is no other, and asks nothing of the network."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("RAG_AIRGAP", "1")
    (tmp_path / "lamp.png").write_bytes(PICTURE)
    library.index(tmp_path)
    (document,) = library.documents()
    assert document.warnings == (BY_OCR,)
    assert library.document(document.id).text == LINE
