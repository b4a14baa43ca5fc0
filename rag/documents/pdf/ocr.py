"""OCR of image-only pages and pictures, giving the same pieces as pages with text.

By tesseract where it is installed, which takes a tenth of the memory, or else by RapidOCR
(``rapid_ocr``), which pip installs. Tesseract is run directly, image in and hOCR out, both
through pipes. pytesseract would write each page to the temporary folder, world-readable and left
behind if killed, imports pandas, and passes on no thread limit; the rest of it is what this module
does.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import pairwise
from math import sqrt
from statistics import median_low
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag.documents.pdf import rapid_ocr
from rag.documents.pdf.file import Pdf
from rag.documents.pdf.lines import is_east_asian
from rag.documents.pdf.page import Piece, Sheet
from rag.documents.read_options import RAPID
from rag.documents.whitespace import one_line
from rag.errors import InputError, LoadError

_Element: TypeAlias = Any
"""An lxml element (lxml ships no types)."""

BY_OCR = "read by OCR, may have errors"
NO_WORDS = "OCR found no text"

SECONDS_PER_PAGE = 50.0
"""Timeout per page; most take 1 to 10 s. Below the silence a worker is allowed
(rag.documents.sandbox.reader)."""

_MISSING = (
    "OCR needs a program, and none is installed: pip install 'rag[ocr]' for RapidOCR; or tesseract"
    " on the PATH, by apt install tesseract-ocr (Debian, Ubuntu), brew install tesseract (macOS),"
    " winget install UB-Mannheim.TesseractOCR (Windows)"
)
_ENGLISH = "eng"
_MOST_LANGUAGES = 3
"""Number of languages up to which each one that is installed is used: further ones cost time, and
whoever installed all wants none of them in particular."""
_ORIENTATION = "osd"
"""Listed among the languages, but a model for orientation detection."""
_SECONDS_TO_LIST = 30.0
_TURN_AND_SEGMENT = "1"
"""Page segmentation mode: automatic, with orientation detection."""
_WORDS = ("ocrx_word",)
_LINES = ("ocr_line", "ocr_textfloat", "ocr_header", "ocr_caption")
_SURE_OF_LINE = 45
_SURE_OF_WORD = 30
"""Minimum word confidence, out of 100. In 702 lines of badly scanned papers, all but three of the
lines with lower average confidence were parts of images. In other lines, words with low confidence
are often misread, but dropping more than the worst would do more harm."""

_DOTS_PER_POINT = 300 / 72
"""Resolution for OCR: 10-point letters come out 40 pixels high, which tesseract reads best."""
MOST_DOTS = 20_000_000
"""Maximum number of pixels, slightly more than an A3 page; larger pages get a lower resolution."""
LONGEST_EDGE = 30_000
"""In pixels; tesseract rejects images of 32,768 or more."""

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


def default_languages() -> str | None:
    """What OCR uses unless told otherwise: tesseract with the languages that are installed for it,
    or with English if there are many, or else RapidOCR; None if neither is installed.
    """
    if shutil.which("tesseract") and (installed := _installed()):
        if len(installed) <= _MOST_LANGUAGES:
            return "+".join(sorted(installed, key=lambda one: (one != _ENGLISH, one)))
        return _ENGLISH if _ENGLISH in installed else installed[0]
    return RAPID if _has_rapid_ocr() else None


def require_languages() -> str:
    """As ``default_languages``; raises InputError if neither program is installed."""
    languages = default_languages()
    if languages is None:
        raise InputError(_MISSING)
    return languages


def check_languages(languages: str) -> str:
    """Validate a tesseract language string, "eng" or "deu+eng", or "rapidocr", and return it.

    Raises InputError if the program or one of the languages is not installed.
    """
    if languages == RAPID and _has_rapid_ocr():
        return languages
    if languages == RAPID or shutil.which("tesseract") is None:
        raise InputError(_MISSING)
    installed = _installed()
    asked = languages.split("+")
    unknown = [one for one in asked if one not in installed]
    if unknown:
        raise InputError(
            f"tesseract has no language “{unknown[0]}”; it has {', '.join(installed) or 'none'}; "
            f"others come in separate packages, such as tesseract-ocr-deu on Debian and "
            f"tesseract-lang on macOS"
        )
    return languages


def _installed() -> list[str]:
    """Tesseract's installed languages."""
    ended = subprocess.run(
        ["tesseract", "--list-langs"],  # noqa: S607 (found on the PATH, wherever that is)
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS_TO_LIST,
    )
    # The first line is a header.
    return [one for one in ended.stdout.split("\n")[1:] if one and one != _ORIENTATION]


def _has_rapid_ocr() -> bool:
    return importlib.util.find_spec("rapidocr") is not None


def read_scan(pdf: Pdf, index: int, languages: str) -> Sheet:
    """Read a page, counted from 0, by OCR in these languages; may be empty.

    Raises LoadError, worded to follow the page's number, if the page can't be rendered, or OCR
    fails or times out.
    """
    return read_picture(*render_page(pdf, index), languages)


def read_picture(pixels: NDArray[np.uint8], dots: float, languages: str) -> Sheet:
    """Read a picture by OCR; may be empty.

    ``pixels`` has shape (rows, columns), 0 black and 255 white, and ``dots`` pixels per point.
    Raises LoadError as ``read_scan`` does.
    """
    if languages == RAPID:
        return rapid_ocr.read(pixels, dots, SECONDS_PER_PAGE)
    page, height = _recognise(pixels, dots * 72, languages)
    paragraphs = [_lines(paragraph, height) for paragraph in _of_class(page, ("ocr_par",))]
    usual = _size(line for lines in paragraphs for line in lines)
    pieces = (piece for lines in paragraphs for piece in _pieces(lines, usual, dots))
    return Sheet(tuple(pieces), (), bottom=0.0, top=height / dots)


def render_page(pdf: Pdf, index: int) -> tuple[NDArray[np.uint8], float]:
    """Render a page, counted from 0, at 300 dpi unless it is huge.

    Returns the image, of shape (rows, columns), 0 black and 255 white, and its pixels per point.
    Raises LoadError if it can't be rendered.
    """
    import pypdfium2 as pdfium  # type: ignore[import-untyped,unused-ignore]

    page = pdf[index]
    try:
        width, height = (max(edge, 1.0) for edge in page.get_size())
        dots = min(
            _DOTS_PER_POINT,
            sqrt(MOST_DOTS / (width * height)),
            LONGEST_EDGE / max(width, height),
        )
        return page.render(scale=dots, grayscale=True).to_numpy(), dots
    except (pdfium.PdfiumError, ValueError) as error:  # ValueError: zero width or height
        raise LoadError("can't be drawn for OCR") from error
    finally:
        page.close()


def _recognise(
    pixels: NDArray[np.uint8], dots_per_inch: float, languages: str
) -> tuple[_Element, int]:
    """The hOCR of an image, rotated upright, and its height then, in pixels.

    Raises LoadError if tesseract fails or exceeds ``SECONDS_PER_PAGE``.
    """
    until = time.monotonic() + SECONDS_PER_PAGE
    page = _hocr(pixels, dots_per_inch, languages, until)
    turned = _rotation(page)
    if turned:
        pixels = np.rot90(pixels, -turned)
        page = _hocr(pixels, dots_per_inch, languages, until)
    return page, len(pixels)


def _hocr(
    pixels: NDArray[np.uint8], dots_per_inch: float, languages: str, until: float
) -> _Element:
    """The hOCR of an image: areas of paragraphs of lines of words."""
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    rows, columns = pixels.shape
    picture = b"P5 %d %d 255\n" % (columns, rows) + pixels.tobytes()
    command = ("tesseract", "stdin", "stdout", "-l", languages)
    options = ("--psm", _TURN_AND_SEGMENT, "--dpi", str(round(dots_per_inch)), "hocr")
    try:
        ended = subprocess.run(  # noqa: S603 (languages are checked)
            [*command, *options],
            input=picture,
            capture_output=True,
            check=True,
            timeout=max(0.0, until - time.monotonic()),
            # Several pages are read at a time, each in its own process.
            env=os.environ | {"OMP_THREAD_LIMIT": "1"},
        )
    except FileNotFoundError as error:  # another machine looked for it
        raise LoadError(_MISSING) from error
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"OCR took more than {SECONDS_PER_PAGE:.0f} s, not read") from error
    except subprocess.CalledProcessError as error:
        raise LoadError(f"OCR failed (exit code {error.returncode}), not read") from error
    return etree.fromstring(ended.stdout, etree.XMLParser(recover=True, huge_tree=True))


def _rotation(page: _Element) -> int:
    """Rotation of most lines of the page, in anticlockwise quarter turns."""
    turns = Counter(
        round(facts["textangle"][0] / 90) % 4 if "textangle" in facts else 0
        for facts in map(_properties, _of_class(page, _LINES))
    )
    return max(turns, key=turns.__getitem__, default=0)


def _lines(paragraph: _Element, height: int) -> list[list[Piece]]:
    """The lines of a paragraph, each the words of which tesseract is sure."""
    lines = (
        _words(line, height)
        for line in _of_class(paragraph, _LINES)
        if "textangle" not in _properties(line) and _is_sure(line)
    )
    return [line for line in lines if line]


def _is_sure(line: _Element) -> bool:
    sure = [_properties(word)["x_wconf"][0] for word in _of_class(line, _WORDS)]
    return bool(sure) and sum(sure) >= _SURE_OF_LINE * len(sure)


def _words(line: _Element, height: int) -> list[Piece]:
    """The words of a line in reading order, in pixels from the lower left corner of the image.

    Their base is that of the middle of the line, and their size its height from descenders to
    ascenders.
    """
    facts = _properties(line)
    left, _, right, bottom = facts["bbox"]
    slope, offset = facts.get("baseline", (0.0, 0.0))
    base = height - (bottom + offset + slope * (right - left) / 2)
    (size,) = facts["x_size"]
    words: list[Piece] = []
    for element in _of_class(line, _WORDS):
        text, facts = one_line("".join(element.itertext())), _properties(element)
        if text and facts["x_wconf"][0] >= _SURE_OF_WORD:
            left, _, right, _ = facts["bbox"]
            words.append(Piece(text, left, right, base, size, bold=False))  # boldness is unknown
    return words


def _properties(element: _Element) -> dict[str, tuple[float, ...]]:
    """Parse an hOCR title attribute, ``bbox 36 92 618 184; baseline 0 -30``, by property."""
    properties = (fact.split() for fact in element.get("title", "").split(";"))
    return {name: tuple(map(float, values)) for name, *values in properties}


def _of_class(element: _Element, classes: Container[str]) -> Iterator[_Element]:
    return (inner for inner in element.iter() if inner.get("class") in classes)


def _size(lines: Iterable[Sequence[Piece]]) -> float:
    """The size of most of the words; 0 if there are none."""
    return median_low([word.size for line in lines for word in line] or [0.0])


def _pieces(lines: Sequence[list[Piece]], usual: float, dots: float) -> Iterator[Piece]:
    """The pieces of a paragraph, in points; ``usual`` is the page's main size."""
    common = _size(lines)
    if abs(common - usual) <= _ONE_SIZE * usual:
        common = usual
    for line in lines:
        size = line[0].size
        if abs(size - common) <= _NOISE * common:
            size = common
        for words in _split_at_gaps(line):
            yield Piece(
                text=_text(words),
                left=min(word.left for word in words) / dots,
                right=max(word.right for word in words) / dots,
                base=words[0].base / dots,
                size=_SIZE * size / dots,
                bold=False,
            )


def _split_at_gaps(line: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Split a line at wide gaps: tesseract joins adjacent columns."""
    together = [line[0]]
    for last, word in pairwise(line):
        gap = max(word.left - last.right, last.left - word.right)  # in either direction
        if gap > _WIDE_GAP * _SIZE * word.size:
            yield together
            together = []
        together.append(word)
    yield together


def _text(words: Sequence[Piece]) -> str:
    text = words[0].text
    for word in words[1:]:
        is_one = is_east_asian(text[-1]) and is_east_asian(word.text[0])
        text += word.text if is_one else f" {word.text}"
    return text
