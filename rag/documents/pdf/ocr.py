"""Pages that are only pictures: their words by OCR, as the pieces that a page with text has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import median_low

from rag.documents.pdf.file import Pdf, picture_of
from rag.documents.pdf.lines import is_east_asian
from rag.documents.pdf.page import Piece, Sheet
from rag.documents.pdf.tesseract import Line, Word, recognised

_SIZE = 1.1
"""The size of letters, as printers give it, is so many times the height that tesseract measures:
1.05 in Helvetica, 1.12 in Times, 1.14 in Computer Modern."""
_ONE_SIZE = 0.06
_NOISE = 0.15
"""Sizes are measured line by line, with errors up to this share: lines of a paragraph are of one
size unless they differ more. Paragraphs whose sizes differ less than ``_ONE_SIZE`` from that of
most of the page are of that size."""
_WIDE_GAP = 1.0
"""Times the size: as for pieces of a page with text."""


def read_scan(pdf: Pdf, index: int, languages: str) -> Sheet:
    """What OCR in these languages reads on a page, counted from 0; it may be nothing.

    Raises LoadError, with words to follow the page's number, where the page can't be drawn, and
    where OCR fails or takes too long.
    """
    picture = picture_of(pdf, index)
    found = recognised(picture.pixels, picture.dots * 72, languages)
    usual = _size(line for paragraph in found.paragraphs for line in paragraph)
    pieces = (
        piece for paragraph in found.paragraphs for piece in _pieces(paragraph, usual, picture.dots)
    )
    return Sheet(tuple(pieces), (), bottom=0.0, top=found.height / picture.dots)


def _size(lines: Iterable[Line]) -> float:
    """The size of most of these words, in dots; 0 where there is none."""
    return median_low([line.size for line in lines for _ in line.words] or [0.0])


def _pieces(paragraph: Sequence[Line], usual: float, dots: float) -> Iterator[Piece]:
    """The pieces of a paragraph, where ``usual`` is the size of most of the page."""
    common = _size(paragraph)
    if abs(common - usual) <= _ONE_SIZE * usual:
        common = usual
    for line in paragraph:
        size = common if abs(line.size - common) <= _NOISE * common else line.size
        for words in _apart(line):
            yield Piece(
                text=_text(words),
                left=min(word.left for word in words) / dots,
                right=max(word.right for word in words) / dots,
                base=line.base / dots,
                size=_SIZE * size / dots,
                bold=False,  # tesseract doesn't say
            )


def _apart(line: Line) -> Iterator[list[Word]]:
    """The words of a line between two wide gaps: tesseract takes columns side by side for one."""
    together: list[Word] = []
    for word in line.words:
        if together:
            last = together[-1]
            gap = max(word.left - last.right, last.left - word.right)  # to either side
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
