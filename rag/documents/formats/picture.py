"""Pictures: files of their own, and those in other files; read by OCR."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.documents.content import Content, stream_of
from rag.documents.loaded import Loaded
from rag.documents.metadata import file_metadata
from rag.documents.office_zip import Package
from rag.documents.pdf.headers_footers import PageRows
from rag.documents.pdf.loader import PAGES_TOGETHER, lay_out, page_rows
from rag.documents.pdf.metadata import ranges
from rag.documents.pdf.ocr import (
    BY_OCR,
    LONGEST_EDGE,
    MOST_DOTS,
    NO_WORDS,
    read_picture,
)
from rag.documents.read_options import NEEDED, ONLY_A_PICTURE, ONLY_PICTURES
from rag.errors import LoadError, UnknownFormat

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")
_MOST_PIXELS = 50_000_000
"""Maximum number of pixels that are decoded, as many as in an A2 page at 300 dpi; four bytes each.
A larger JPEG is decoded at a half, a quarter or an eighth of its size."""

_LEAST_EDGE = 16
_LEAST_PIXELS = 10_000
"""A picture in a document that is smaller is an icon or a line, without text."""

_DOTS_PER_POINT = 300 / 72
_MOST_ENLARGED = 3.0
_LEAST_DOTS_PER_INCH = 100
_MOST_DOTS_PER_INCH = 1200
"""Resolutions that a picture may state. With any other it is one of a page, whose longer edge has
the length of an A4 sheet."""
_LONG_EDGE = 842.0

_TAKEN, _CHANGED, _EXIF = 36867, 306, 0x8769
"""EXIF tags: when a photo was taken, when the file was changed, and where the former is."""

_NOT_READ = "it can't be read as a picture; get a complete copy of it, or save it again"
_TOO_LARGE = (
    f"it has more than {_MOST_PIXELS // 10**6} million pixels; save it smaller, or exclude it"
)
_NO_TEXT = "it is a picture without text, as far as OCR can tell"


class Pictures:
    """Reads the pictures of one file by OCR, and counts them.

    ``ocr`` names the languages, as in ``ReadOptions``; None leaves all pictures unread, which
    ``warnings`` tell. ``on_page`` is called after each picture.
    """

    def __init__(self, ocr: str | None = None, on_page: Callable[[], None] = lambda: None) -> None:
        self.ocr, self.on_page = ocr, on_page
        self._outcomes: Counter[str] = Counter()
        self._seen: set[bytes] = set()

    def text_of(self, data: bytes) -> str:
        """The text of a picture in a document, its paragraphs separated by empty lines; empty if
        it has none, can't be read, or is the same as one before.
        """
        digest = hashlib.sha256(data).digest()
        if digest in self._seen:
            return ""
        self._seen.add(digest)
        try:
            outcome, text = self._read(data)
        except (LoadError, MemoryError) as error:
            outcome, text = f"not read ({error or 'too large'})", ""
        if outcome:
            self._outcomes[outcome] += 1
        self.on_page()
        return text

    def text_of_part(self, package: Package, name: str) -> str:
        """As ``text_of``, for a part of an office file; empty if there is no such part."""
        if name not in package:
            return ""
        try:
            data = package.read(name)
        except LoadError as error:
            self._outcomes[f"not read ({error})"] += 1
            return ""
        return self.text_of(data)

    def _read(self, data: bytes) -> tuple[str, str]:
        """What is to be said about a picture, and its text."""
        with _opened(data) as image:
            if min(image.size) < _LEAST_EDGE or image.width * image.height < _LEAST_PIXELS:
                return "", ""
            if self.ocr is None:
                return NEEDED, ""
            sheet = read_picture(*_pixels(image), self.ocr)
        text, _ = lay_out([page_rows(sheet)])
        return (BY_OCR, text.text) if text.text else (NO_WORDS, "")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What came of the pictures, and how many of them."""
        return tuple(
            f"{count:,} {'picture' if count == 1 else 'pictures'}: {outcome}"
            for outcome, count in self._outcomes.items()
        )

    def refuse_without(self, written: Iterable[object]) -> None:
        """Raise LoadError if nothing was ``written`` of a document and there are pictures in it:
        whether they need OCR, or what else came of them.
        """
        if self._outcomes[NEEDED] and not any(written):
            raise LoadError(ONLY_PICTURES)
        if self._outcomes and not any(written):
            raise LoadError(f"it holds only pictures, and no text was found ({self.warnings[0]})")


def load_picture(content: Content, *, pictures: Pictures | None = None) -> Iterator[Loaded]:
    """Read a picture by OCR; a TIFF file may hold several, each a page, and of an animated one
    the first frame is read. ``pictures`` has the languages.

    The date is that at which a photo was taken. Raises UnknownFormat if there is no OCR or no
    text, and LoadError if it is damaged or too large, or OCR fails.
    """
    ocr = pictures.ocr if pictures else None
    if pictures is None or ocr is None:
        raise UnknownFormat(ONLY_A_PICTURE)
    is_empty, body, start = True, 0.0, 0
    with _opened(content) as image:
        about = file_metadata(date=_taken(image))
        frames = _frames(image)
        while batch := [*islice(_sheets(frames, ocr, pictures.on_page), PAGES_TOGETHER)]:
            pages = [page for page, _ in batch]
            text, body = lay_out(pages, start, body)
            doubts = [doubt for _, doubt in batch]
            if text.text:
                is_empty = False
                remarks = tuple(_by_page(doubts, start, alone=len(doubts) == 1 and not start))
                yield replace(text, date=about.date, metadata=about.fields, warnings=remarks)
            start += len(batch)
    if is_empty:
        raise UnknownFormat(_NO_TEXT)


def _sheets(
    frames: Iterator[Image], ocr: str, on_page: Callable[[], None]
) -> Iterator[tuple[PageRows, str]]:
    """Each frame's rows, and what is to be said about it."""
    for frame in frames:
        sheet = read_picture(*_pixels(frame), ocr)
        yield page_rows(sheet), BY_OCR if sheet.pieces else NO_WORDS
        on_page()


def _by_page(doubts: list[str], start: int, *, alone: bool) -> Iterator[str]:
    for doubt in dict.fromkeys(doubts):
        numbers = [start + number for number, one in enumerate(doubts) if one == doubt]
        pages = f"{'page' if len(numbers) == 1 else 'pages'} {ranges(numbers)}: "
        yield doubt if alone else pages + doubt


def _frames(image: Image) -> Iterator[Image]:
    """The pages of a picture, each valid until the next."""
    yield image
    while image.format == "TIFF":
        with _decoding():
            try:
                image.seek(image.tell() + 1)
            except EOFError:
                return
        yield image


def _opened(content: Content) -> Image:
    """A picture that is not decoded yet."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # sizes are checked before anything is decoded
    with _decoding():
        return Image.open(stream_of(content), formats=_FORMATS)


@contextmanager
def _decoding() -> Iterator[None]:
    """Turn errors of Pillow into LoadErrors, except for lack of memory."""
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except (LoadError, MemoryError, EOFError):
        raise
    except Exception as error:  # whatever a damaged file makes Pillow raise
        raise LoadError(_NOT_READ) from error


def _taken(image: Image) -> str:
    """When a photo was taken, in ISO 8601; empty if it doesn't say."""
    with suppress(LoadError), _decoding():
        exif = image.getexif()
        stated = exif.get_ifd(_EXIF).get(_TAKEN) or exif.get(_CHANGED)
        if isinstance(stated, str):
            return stated[:10].replace(":", "-")
    return ""


def _pixels(image: Image) -> tuple[NDArray[np.uint8], float]:
    """Decode a picture: its grey values, upright, of shape (rows, columns), at 300 dots to the inch
    as far as three times its size gives that, and its pixels per point.
    """
    from PIL import Image, ImageOps

    with _decoding():
        width = image.width
        for part in (2, 4, 8):
            if image.format == "JPEG" and image.width * image.height > _MOST_PIXELS:
                image.draft("L", (width // part, image.height * width // part // image.width))
        if image.width * image.height > _MOST_PIXELS:
            raise LoadError(_TOO_LARGE)
        stated = image.info.get("dpi", (0, 0))[0]
        upright = ImageOps.exif_transpose(image)
        grey = _grey(upright)
        dots = stated / 72 * image.width / width
        if not _LEAST_DOTS_PER_INCH <= stated <= _MOST_DOTS_PER_INCH:
            dots = max(grey.size) / _LONG_EDGE
        scale = min(
            max(1.0, _DOTS_PER_POINT / dots),
            _MOST_ENLARGED,
            sqrt(MOST_DOTS / (grey.width * grey.height)),
            LONGEST_EDGE / max(grey.size),
        )
        if scale != 1:
            size = max(1, round(grey.width * scale)), max(1, round(grey.height * scale))
            grey = grey.resize(size, Image.Resampling.LANCZOS)
        return np.asarray(grey), float(dots * scale)


def _grey(image: Image) -> Image:
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=np.float32)
        low, high = float(values.min()), float(values.max())
        values = (values - low) * (255 / max(high - low, 1e-6))
        return Image.fromarray(values.astype(np.uint8))
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image.convert("RGBA"))
        image = ground
    return image.convert("L")
