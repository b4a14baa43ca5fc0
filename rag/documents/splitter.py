"""Split texts that are too long for one document into parts."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from rag.documents.loaded import Loaded
from rag.errors import LoadError
from rag.types import Heading, Span, parts

MOST_PAGES = 50_000
"""Pages or slides of a document: every part has a place for each of them."""

MOST_SECTIONS = 5_000
"""Headings, or pages, that begin in one part: each makes a passage, however short."""

MOST_SENTENCES = 30_000
"""Ends of sentences and lines in one part, about: each sentence has a vector."""

_SENTENCE_ENDS = re.compile(r"[.!?…\u061f\u06d4\u0964\u3002\uff01\uff0e\uff1f\uff61\n]+")
_BOUNDARIES = ("\n\n", "\r\n\r\n", "\n", "\r", " ")
"""Where a text may be split, best first."""

_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")
_MOST_MARKS = 30


def cut_before(text: str, limit: int) -> int:
    """Position at which to split a text longer than ``limit``, as close below the limit as
    possible: after a paragraph, a line or a word, or anywhere in a text without spaces.

    Only the text before the limit counts, so a growing text is split at the same positions.
    """
    for boundary in _BOUNDARIES:
        at = text.rfind(boundary, limit // 2, limit)
        if at >= 0:
            return at + len(boundary)
    at = limit
    while at > limit - _MOST_MARKS and _continues(text[at]):
        at -= 1
    return at


def regroup(pieces: Iterable[str]) -> Iterator[str]:
    """Regroup a streamed text into stretches of at most ``PART_CHARACTERS``; at least one."""
    text = ""
    for piece in pieces:
        text += piece
        while len(text) > parts.PART_CHARACTERS:
            at = cut_before(text, parts.PART_CHARACTERS)
            yield text[:at]
            text = text[at:]
    yield text


def parts_of(loaded: Loaded | Iterable[Loaded]) -> Iterator[Loaded]:
    """Split a loader's result into parts of at most ``PART_CHARACTERS`` characters.

    Every part can be read by itself: it begins with the headings above it, and keeps the page
    numbering, with the pages of earlier parts empty.
    """
    cutter = _Splitter()
    for one in [loaded] if isinstance(loaded, Loaded) else loaded:
        yield from cutter.parts(one)


@dataclass(slots=True)
class _Splitter:
    """Splits successive texts, carrying over headings and pages."""

    _above: list[tuple[int, str]] = field(default_factory=list)
    """Level and text of the headings open at the end of the text so far."""
    _pages: int = 0
    _labels: list[str] = field(default_factory=list)
    _labelled: bool = False
    _further: bool = False

    def parts(self, loaded: Loaded) -> Iterator[Loaded]:
        """Split one text, which continues the previous ones.

        Raises
        ------
        LoadError
            If the document has more than :data:`MOST_PAGES` pages.
        """
        if self._pages + len(loaded.pages) > MOST_PAGES:
            raise LoadError(f"it has more than {MOST_PAGES:,} pages; split it")
        self._labelled |= bool(loaded.page_labels)
        numbers = range(self._pages + 1, self._pages + len(loaded.pages) + 1)
        self._labels += loaded.page_labels or map(str, numbers)
        start = 0
        while start < len(loaded.text):
            end = _end(loaded, start)
            if not self._further and end == len(loaded.text):
                yield loaded
            elif not loaded.text[start:end].isspace():
                yield self._part(loaded, start, end)
            self._open(loaded.headings[_within(loaded.headings, start, end)], loaded.text)
            self._further = True
            start = end
        self._pages += len(loaded.pages)

    def _part(self, loaded: Loaded, start: int, end: int) -> Loaded:
        whole = loaded.text[start:end]
        start, end = start + len(whole) - len(whole.lstrip()), start + len(whole.rstrip())
        headings = loaded.headings[_within(loaded.headings, start, end)]
        if headings and headings[0].span.start == start:
            self._close(headings[0].level)
        lead = "".join(f"{words}\n\n" for _, words in self._above)
        by = len(lead) - start
        pages = _within(loaded.pages, start, end)
        # A page may have begun before the cut.
        first = max(bisect_right(loaded.pages, start, key=_start) - 1, 0)
        last = len(loaded.pages) if end == len(loaded.text) else pages.stop
        here = [
            Span(max(one.start, start), max(min(one.end, end), one.start, start)).shifted(by)
            for one in loaded.pages[first:last]
        ]
        before = (Span(0, 0),) * (self._pages + first) if here or self._pages else ()
        return replace(
            loaded,
            text=lead + loaded.text[start:end],
            headings=(
                *_headings(self._above),
                *(Heading(one.span.shifted(by), one.level) for one in headings),
            ),
            pages=(*before, *here),
            page_labels=tuple(self._labels[: len(before) + len(here)]) if self._labelled else (),
        )

    def _close(self, level: int) -> None:
        while self._above and self._above[-1][0] >= level:
            self._above.pop()

    def _open(self, headings: Iterable[Heading], text: str) -> None:
        for heading in headings:
            self._close(heading.level)
            self._above.append((heading.level, heading.span.of(text)))


def _end(loaded: Loaded, start: int) -> int:
    """End of the part that begins at ``start``: before a heading, if one is near enough."""
    limit = start + parts.PART_CHARACTERS
    ends = _SENTENCE_ENDS.finditer(loaded.text, start, limit)
    limit = next((one.end() for one in islice(ends, MOST_SENTENCES, None)), limit)
    sections: tuple[Sequence[Heading] | Sequence[Span], ...] = (loaded.headings, loaded.pages)
    crowded = []
    for spans in sections:
        after = bisect_left(spans, start, key=_start) + MOST_SECTIONS
        if after < len(spans) and start < _start(spans[after]) < limit:
            crowded.append(_start(spans[after]))
    if crowded:
        return min(crowded)
    if len(loaded.text) <= limit:
        return len(loaded.text)
    before = bisect_right(loaded.headings, limit, key=_start)
    heading = loaded.headings[before - 1].span.start if before else 0
    if heading > start + parts.PART_CHARACTERS // 2:
        return heading
    return start + cut_before(loaded.text[start : limit + 1], limit - start)


def _within(spans: Sequence[Heading] | Sequence[Span], start: int, end: int) -> slice:
    """The spans that begin in a range of the text."""
    return slice(bisect_left(spans, start, key=_start), bisect_left(spans, end, key=_start))


def _start(one: Heading | Span) -> int:
    return one.span.start if isinstance(one, Heading) else one.start


def _headings(above: Iterable[tuple[int, str]]) -> Iterator[Heading]:
    at = 0
    for level, words in above:
        yield Heading(Span(at, at + len(words)), level)
        at += len(words) + len("\n\n")


def _continues(character: str) -> bool:
    return bool(unicodedata.combining(character)) or character in _JOINERS
