"""Scanned pages, read by the real tesseract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pdf_files import (
    LEFT,
    PAPERS,
    RIGHT,
    assert_covered,
    by_hand,
    by_page,
    drawn,
    headings,
    made,
    needs_tesseract,
    pages_of,
    papers,
    paragraphs,
    picture,
    scanned,
    two_columns,
    words,
)
from reportlab.pdfgen.canvas import Canvas
from whole import load_pdf

import rag.documents.pdf.ocr
from rag.documents.pdf.file import open_pdf
from rag.documents.pdf.ocr import check_languages, read_scan, render_page
from rag.documents.pdf.page import Piece
from rag.errors import InputError, LoadError

pytestmark = needs_tesseract

BY_OCR = "read by OCR, may have errors"
SCAN = scanned(made(drawn(*LEFT)))


class TestPages:
    def test_one_column(self) -> None:
        """Lines become a paragraph, which covers the page, and the doubt is told."""
        loaded = load_pdf(SCAN, ocr="eng")
        assert loaded.text == " ".join(LEFT)
        assert loaded.warnings == (f"page 1: {BY_OCR}",)
        assert by_page(loaded) == [loaded.text]

    def test_two_columns_and_a_title(self) -> None:
        """They are read one after the other, as pages with text are; size tells the title."""
        loaded = load_pdf(scanned(made(two_columns)), ocr="eng")
        assert paragraphs(loaded) == ["A Survey of the Harbour at Night", " ".join((*LEFT, *RIGHT))]
        assert headings(loaded) == [(1, "A Survey of the Harbour at Night")]
        assert loaded.title == "A Survey of the Harbour at Night"

    def test_only_what_has_no_text(self) -> None:
        """Text, a scan, an empty picture, a scan: what came of each is named."""
        data = made(drawn(*LEFT), drawn(*RIGHT), picture, drawn(*LEFT, *RIGHT))
        loaded = load_pdf(scanned(data, pages={1, 3}), ocr="eng")
        assert loaded.warnings == (f"pages 2, 4: {BY_OCR}", "page 3: OCR found no text")
        assert [words(page) for page in by_page(loaded)] == [
            words(" ".join(lines)) for lines in (LEFT, RIGHT, [], [*LEFT, *RIGHT])
        ]
        assert_covered(loaded)

    @pytest.mark.parametrize("quarters", [1, 2, 3])
    def test_scanned_sideways(self, quarters: int) -> None:
        """A page that lay in the scanner the wrong way round is turned."""
        data = scanned(made(drawn(*LEFT, *RIGHT)), quarters=quarters)
        assert words(load_pdf(data, ocr="eng").text) == words(" ".join((*LEFT, *RIGHT)))

    def test_fonts_without_meaning(self) -> None:
        """Where the file doesn't say which letters it draws, those on paper are read."""
        cmap = (
            b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap "
            b"1 begincodespacerange <00> <FF> endcodespacerange "
            b"1 beginbfrange <20> <7E> <E020> endbfrange endcmap end end"
        )
        drawing = b"BT /F1 18 Tf 72 700 Td (The keeper of the light went home) Tj ET"
        data = by_hand(drawing, cmap)
        with pytest.raises(LoadError, match="needs OCR"):
            load_pdf(data)
        assert load_pdf(data, ocr="eng").text == "The keeper of the light went home"

    def test_text_is_left_alone(self) -> None:
        """A file that has its text is read as ever."""
        data = made(two_columns, drawn(*LEFT))
        assert load_pdf(data, ocr="eng") == load_pdf(data)

    @papers
    def test_a_page_of_a_paper(self) -> None:
        """Of the words of a dense page in two columns, nearly all are found, and few others."""
        data = (PAPERS / "files" / "bert.pdf").read_bytes()
        page = pages_of(data, [1])
        expected = words(load_pdf(page).text)
        found = words(load_pdf(scanned(page), ocr="eng").text)
        assert (found & expected).total() > 0.97 * expected.total()
        assert (found - expected).total() < 0.02 * found.total()


class TestNothingRead:
    def test_no_words(self) -> None:
        """Pictures without words are refused, and the reason is not that OCR is missing."""
        with pytest.raises(LoadError, match=r"^OCR found no text \(2 pages\); scan it again"):
            load_pdf(made(picture, picture), ocr="eng")

    def test_too_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A page that takes too long is named, and costs only itself."""
        monkeypatch.setattr(rag.documents.pdf.ocr, "SECONDS_PER_PAGE", 0.01)
        loaded = load_pdf(scanned(made(drawn(*LEFT), drawn(*RIGHT)), pages={1}), ocr="eng")
        assert loaded.warnings == ("page 2: OCR took more than 0 s, not read",)
        assert loaded.text == " ".join(LEFT)

    def test_tesseract_fails(self) -> None:
        """So does one at which tesseract gives up."""
        data = scanned(made(drawn(*LEFT), drawn(*RIGHT)), pages={0})
        loaded = load_pdf(data, ocr="xyz")
        assert loaded.warnings == ("page 1: OCR failed (exit code 1), not read",)
        assert loaded.text == " ".join(RIGHT)

    def test_every_page_is_a_sign_of_life(self) -> None:
        """Whoever waits is told after each page."""
        told: list[None] = []
        load_pdf(made(drawn(*LEFT), picture, drawn(*RIGHT)), on_page=lambda: told.append(None))
        assert len(told) >= 3


class TestPictures:
    def test_resolution(self) -> None:
        """A4 is 595 by 842 points: 2480 by 3509 dots at 300 to the inch; 0 is black."""
        with open_pdf(made(drawn(*LEFT))) as pdf:
            pixels, dots = render_page(pdf, 0)
        assert pixels.shape == (3509, 2480)
        assert dots == pytest.approx(300 / 72)
        assert (pixels.min(), pixels.max()) == (0, 255)
        assert np.median(pixels) == 255

    @pytest.mark.parametrize("size", [(14_400, 14_400), (14_400, 30), (3, 14_400)])
    def test_huge_paper(self, size: tuple[int, int]) -> None:
        """However large the paper, the picture stays small enough for memory and tesseract."""

        def draw(canvas: Canvas) -> None:
            canvas.setPageSize(size)

        with open_pdf(made(draw)) as pdf:
            rows, columns = render_page(pdf, 0)[0].shape
        assert rows * columns <= 20_010_000
        assert max(rows, columns) <= 30_001


class TestInstalled:
    def test_languages(self) -> None:
        """Those that are there are allowed, together too; another is named, with what there is."""
        assert check_languages("eng") == "eng"
        assert check_languages("eng+eng") == "eng+eng"
        for wrong in ("xyz", "eng+xyz", "xyz+eng"):
            with pytest.raises(InputError, match=r"no language “xyz”; it has .*\beng\b"):
                check_languages(wrong)
        for wrong in ("", "osd", "--help", "eng "):
            with pytest.raises(InputError, match=f"no language “{wrong}”"):
                check_languages(wrong)


class TestDoubts:
    HOCR = """<div class='ocr_page'><p class='ocr_par'>
      <span class='ocr_line' title='bbox 100 40 500 80; baseline 0.01 -8; x_size 40'>
        <span class='ocrx_word' title='bbox 100 40 280 80; x_wconf 95'>Whale oil</span>
        <span class='ocrx_word' title='bbox 290 40 300 80; x_wconf 29'>¢</span>
        <span class='ocrx_word' title='bbox 320 40 500 80; x_wconf 30'>l1t</span>
      </span>
      <span class='ocr_line' title='bbox 100 90 500 130; baseline 0 -8; x_size 40'>
        <span class='ocrx_word' title='bbox 100 90 280 130; x_wconf 70'>be</span>
        <span class='ocrx_word' title='bbox 290 90 300 130; x_wconf 19'>#</span>
      </span>
      <span class='ocr_line' title='bbox 0 0 40 900; textangle 90; x_size 40'>
        <span class='ocrx_word' title='bbox 0 0 40 900; x_wconf 95'>upwards</span>
      </span></p></div>"""

    def test_what_is_left_out(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Words below 30, lines below 45 on average, and lines that run another way.

        The base is 8 dots above the bottom of the line's box at its left, and at a slope of 0.01
        it is 2 dots deeper in the middle of 400: at 80 - 8 + 2 from the top of 3509 dots.
        """
        program = tmp_path / "tesseract"
        program.write_text(f'#!/bin/sh\ncat > /dev/null\necho "{self.HOCR}"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
        with open_pdf(SCAN) as pdf:
            found = read_scan(pdf, 0, "eng").pieces
        dots = 300 / 72
        assert found == (
            Piece(
                "Whale oil l1t", 100 / dots, 500 / dots, 3435 / dots, 1.1 * 40 / dots, bold=False
            ),
        )
