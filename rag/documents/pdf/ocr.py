"""OCR of image-only pages, giving the same pieces as pages with text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import median_low

from rag.documents.pdf.file import Pdf, render_page
from rag.documents.pdf.lines import is_east_asian
from rag.documents.pdf.page import Piece, Sheet
from rag.documents.pdf.tesseract import Line, Word, recognise

_SIZE = 1.1
"""Ratio of font size to the height that tesseract measures: 1.05 in Helvetica, 1.12 in Times, 1.14
in Computer Modern."""
_ONE_SIZE = 0.06
_NOISE = 0.15
"""Sizes are measured per line, with errors up to this share: lines of a paragraph have one size
unless they differ by more. Paragraphs that differ by less than ``_ONE_SIZE`` from the page's main
size get that size."""
_WIDE_GAP = 1.0
"""In em: as for pieces of a page with text."""


def read_scan(pdf: Pdf, index: int, languages: str) -> Sheet:
    """Read a page, counted from 0, by OCR in these languages; may be empty.

    Raises LoadError, worded to follow the page's number, if the page can't be rendered, or OCR
    fails or times out.
    """
    picture = render_page(pdf, index)
    found = recognise(picture.pixels, picture.dots * 72, languages)
    usual = _size(line for paragraph in found.paragraphs for line in paragraph)
    pieces = (
        piece for paragraph in found.paragraphs for piece in _pieces(paragraph, usual, picture.dots)
    )
    return Sheet(tuple(pieces), (), bottom=0.0, top=found.height / picture.dots)


def _size(lines: Iterable[Line]) -> float:
    """The size of most of the words, in pixels; 0 if there are none."""
    return median_low([line.size for line in lines for _ in line.words] or [0.0])


def _pieces(paragraph: Sequence[Line], usual: float, dots: float) -> Iterator[Piece]:
    """The pieces of a paragraph; ``usual`` is the page's main size."""
    common = _size(paragraph)
    if abs(common - usual) <= _ONE_SIZE * usual:
        common = usual
    for line in paragraph:
        size = common if abs(line.size - common) <= _NOISE * common else line.size
        for words in _split_at_gaps(line):
            yield Piece(
                text=_text(words),
                left=min(word.left for word in words) / dots,
                right=max(word.right for word in words) / dots,
                base=line.base / dots,
                size=_SIZE * size / dots,
                bold=False,  # tesseract doesn't say
            )


def _split_at_gaps(line: Line) -> Iterator[list[Word]]:
    """Split a line at wide gaps: tesseract joins adjacent columns."""
    together: list[Word] = []
    for word in line.words:
        if together:
            last = together[-1]
            gap = max(word.left - last.right, last.left - word.right)  # in either direction
            if gap > _WIDE_GAP * _SIZE * line.size:
                yield together
                together = []
        together.append(word)
    yield together


def _text(words: list[Word]) -> str:
    text = words[0].text
    for word in words[1:]:
        is_one = is_east_asian(text[-1]) and is_east_asian(word.text[0])
        text += word.text if is_one else f" {word.text}"
    return text
