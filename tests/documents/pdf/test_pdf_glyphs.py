"""Which characters of a page are its text, and where the file begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from pdf_files import LEFT, RIGHT, Draw, by_page, drawn, made, write
from reportlab.pdfgen.canvas import Canvas
from whole import load_pdf

from rag.documents.registry import load
from rag.types import Document


class TestCropBox:
    def test_what_is_outside_is_no_text(self) -> None:
        """Two pages that show the halves of one sheet have the words of their half."""

        def half(left: float) -> Draw:
            def draw(canvas: Canvas) -> None:
                write(canvas, LEFT, x=40)
                write(canvas, RIGHT, x=340)
                canvas.setCropBox((left, 0, left + 297, 842))

            return draw

        assert by_page(load_pdf(made(half(0), half(297)))) == [" ".join(LEFT), " ".join(RIGHT)]

    def test_a_line_that_runs_over_the_edge_is_whole(self) -> None:
        """A line too long for the paper is not cut."""
        line = "https://example.org/" + "a-very-long-path-that-nobody-breaks/" * 4
        assert load_pdf(made(drawn(line))).text == line


class TestDoubledLetters:
    @pytest.mark.parametrize(("x", "y"), [(0.3, 0), (0.2, -0.2), (0, 0.4), (0.9, 0.9)])
    @pytest.mark.parametrize("times", [2, 3])
    def test_letters_drawn_again_are_one(self, x: float, y: float, times: int) -> None:
        """Some programs make letters bold or give them a shadow by drawing them again."""

        def draw(canvas: Canvas) -> None:
            for at in range(times):
                write(canvas, LEFT, x=72 + at * x, y=770 + at * y)

        assert load_pdf(made(draw)).text == " ".join(LEFT)

    def test_only_a_word_is_bold(self) -> None:
        """Words are drawn again one by one, amid others."""

        def draw(canvas: Canvas) -> None:
            write(canvas, ["Mind the illegal pillar buoy."], y=700)
            before = canvas.stringWidth("Mind the ", "Helvetica", 10)
            for shift in (0.25, 0.5):
                write(canvas, ["illegal pillar"], x=72 + before + shift, y=700)

        assert load_pdf(made(draw)).text == "Mind the illegal pillar buoy."

    def test_letters_side_by_side_are_two(self) -> None:
        """Each letter placed by itself, even the narrowest ones are kept."""

        def draw(canvas: Canvas) -> None:
            x = 72.0
            for letter in "Will all kill ill till.":
                canvas.drawString(x, 700, letter)
                x += canvas.stringWidth(letter, "Helvetica", 12) * 0.95

        assert load_pdf(made(draw)).text == "Will all kill ill till."


class TestExponents:
    @pytest.mark.parametrize(
        ("parts", "text"),
        [
            (("about 10", "9", " bytes"), "about 10^9 bytes"),
            (("less than 10", "-12", " m"), "less than 10^-12 m"),
            (("a disk of 3 km", "2", ""), "a disk of 3 km2"),
            (("where x", "2", " + y"), "where x^2 + y"),
            (("as was found", "12", " before"), "as was found12 before"),
            (("the 19", "th", " century"), "the 19th century"),
        ],
    )
    def test_a_number_raised_to_a_power(self, parts: tuple[str, str, str], text: str) -> None:
        """A power is none of the digits of its base; the number of a footnote is no power."""

        def draw(canvas: Canvas) -> None:
            written = canvas.beginText(72, 700)
            for part, size, rise in zip(parts, (10, 7, 10), (0, 4, 0), strict=True):
                written.setFont("Helvetica", size)
                written.setRise(rise)
                written.textOut(part)
            canvas.drawText(written)

        assert load_pdf(made(draw)).text == text

    def test_an_index_is_no_power(self) -> None:
        """Lowered digits stay as they are."""

        def draw(canvas: Canvas) -> None:
            write(canvas, ["H"], y=700)
            write(canvas, ["2"], x=79.5, y=697, size=7)
            write(canvas, ["O"], x=83.5, y=700)

        assert load_pdf(made(draw)).text == "H2O"


class TestBeginning:
    @pytest.mark.parametrize(
        "before",
        [
            b"<!DOCTYPE html><html><head></head>\n",
            b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n",
            b"Warning: something is deprecated in print.php\n" * 60,
            b"\0\0\0\n",
        ],
    )
    @pytest.mark.parametrize("name", ["a.pdf", "a"])
    def test_what_precedes_the_header_does_not_matter(
        self, tmp_path: Path, before: bytes, name: str
    ) -> None:
        """A program may have printed something before the PDF."""
        path = tmp_path / name
        path.write_bytes(before + made(drawn(*LEFT)))
        (found,) = load(path)
        assert isinstance(found, Document)
        assert (found.text, found.warnings) == (" ".join(LEFT), ())

    @pytest.mark.parametrize("name", ["a.txt", "a.md", "a"])
    def test_a_text_about_pdf_is_text(self, tmp_path: Path, name: str) -> None:
        """A file that only mentions how PDFs begin is none."""
        path = tmp_path / name
        path.write_text("Such a file begins with this line:\n\n%PDF-1.7\n\nMore follows.\n")
        (found,) = load(path)
        assert isinstance(found, Document)
        assert "begins with this line" in found.text
