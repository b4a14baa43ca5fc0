"""Bookmarks: the outline that a PDF shows beside its pages tells its headings better than looks."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from rag.documents.loaded import LONGEST_HEADING
from rag.documents.pdf.file import Pdf
from rag.documents.pdf.headings import LOWEST, is_known, look_of
from rag.documents.pdf.paragraphs import Paragraph
from rag.documents.whitespace import one_line

_MOST = 10_000
_LEAST_MATCHED = 0.5
"""An outline of which less is found on the pages is of something else, or badly made."""
_NUMBER = re.compile(r"(?:[a-z]|\d{1,3}|[ivx]{1,5})(?:\.\d{1,3})*[.:)]?\s+")


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An entry of the outline: its ``level``, 0 for the outermost, and its page, counted from 0."""

    title: str
    level: int
    page: int


def bookmarks(pdf: Pdf) -> tuple[Bookmark, ...]:
    """The outline, in order; entries without a title or a page in this file are left out."""
    return tuple(_bookmarks(pdf))


def _bookmarks(pdf: Pdf) -> Iterator[Bookmark]:
    for entry in islice(pdf.get_toc(), _MOST):
        try:
            title = one_line(entry.get_title())
        except UnicodeDecodeError:
            continue
        aim = entry.get_dest()
        page = aim.get_index() if aim else None
        if title and page is not None:
            yield Bookmark(title, entry.level, page)


def with_outline(
    levels: Mapping[int, int],
    paragraphs: Sequence[Paragraph],
    outline: Sequence[Bookmark],
    title: Paragraph | None,
) -> Mapping[int, int]:
    """The levels of headings by their places, as the outline has them.

    Its entries are found by their words on the pages to which they lead; those that aren't found
    are left out. Of the headings that were found by their looks, given in ``levels``, those stay
    that look like one in the outline, or have a name that headings have. Where less than half of
    the outline is found, it is disregarded.
    """
    found = _found(paragraphs, outline)
    if not found or len(found) < _LEAST_MATCHED * len(outline):
        return levels
    named = {place for place in found if paragraphs[place] is title}
    outermost = 1 if named else 2
    result = {
        place: min(max(2, outermost + entry.level), LOWEST)
        for place, entry in found.items()
        if place not in named
    }
    looks: defaultdict[tuple[float, bool], Counter[int]] = defaultdict(Counter)
    for place, level in result.items():
        looks[look_of(paragraphs[place])][level] += 1
    for place, level in levels.items():
        look = look_of(paragraphs[place])
        if paragraphs[place] is title or is_known(paragraphs[place].text):
            result.setdefault(place, level)
        elif look in looks:
            result.setdefault(place, looks[look].most_common(1)[0][0])
    return result


def _found(paragraphs: Sequence[Paragraph], outline: Sequence[Bookmark]) -> Mapping[int, Bookmark]:
    """The entries that stand on their pages, by the places of their paragraphs."""
    places: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for place in range(len(paragraphs) - 1, -1, -1):
        paragraph = paragraphs[place]
        if len(paragraph.text) <= LONGEST_HEADING:
            places[paragraph.parts[0].page, _wording(paragraph.text)].append(place)
    found: dict[int, Bookmark] = {}
    for entry in outline:
        alike = places[entry.page, _wording(entry.title)]
        if alike:
            found[alike.pop()] = entry
    return found


def _wording(text: str) -> str:
    """The letters and digits of a heading, in lower case, without the number before them."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    number = _NUMBER.match(plain)
    words = plain[number.end() :] if number else plain
    return "".join(filter(str.isalnum, words))
