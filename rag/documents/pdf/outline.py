"""Headings from a PDF's outline (bookmarks), which is more reliable than appearance."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from rag.documents.loaded import LONGEST_HEADING
from rag.documents.pdf.file import Pdf
from rag.documents.pdf.headings import LOWEST, is_known, style_of
from rag.documents.pdf.paragraphs import Paragraph
from rag.documents.whitespace import one_line

_MOST = 10_000
_LEAST_MATCHED = 0.5
"""Minimum share of an outline found on the pages; with less, it is wrong or badly made."""
_NUMBER = re.compile(r"(?:[a-z]|\d{1,3}|[ivx]{1,5})(?:\.\d{1,3})*[.:)]?\s+")


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An outline entry: ``level``, 0 for the outermost, and page, counted from 0."""

    title: str
    level: int
    page: int


def bookmarks(pdf: Pdf) -> Iterator[Bookmark]:
    """The outline's entries, in order, except those without a title or a page in this file."""
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
    """Heading levels by paragraph index, according to the outline.

    Entries are matched by text on their target pages; unmatched ones are dropped. Headings detected
    by style (``levels``) are kept if they look like a matched one or have a common section title.
    If less than half of the outline matches, it is ignored.
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
        looks[style_of(paragraphs[place])][level] += 1
    for place, level in levels.items():
        look = style_of(paragraphs[place])
        if paragraphs[place] is title or is_known(paragraphs[place].text):
            result.setdefault(place, level)
        elif look in looks:
            result.setdefault(place, looks[look].most_common(1)[0][0])
    return result


def _found(paragraphs: Sequence[Paragraph], outline: Sequence[Bookmark]) -> Mapping[int, Bookmark]:
    """Match outline entries to paragraphs on their pages; by paragraph index."""
    places: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for place in range(len(paragraphs) - 1, -1, -1):
        paragraph = paragraphs[place]
        if len(paragraph.text) <= LONGEST_HEADING:
            places[paragraph.parts[0].page, _normalized(paragraph.text)].append(place)
    found: dict[int, Bookmark] = {}
    for entry in outline:
        alike = places[entry.page, _normalized(entry.title)]
        if alike:
            found[alike.pop()] = entry
    return found


def _normalized(text: str) -> str:
    """Lower-case letters and digits of a heading, without its number."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    number = _NUMBER.match(plain)
    words = plain[number.end() :] if number else plain
    return "".join(filter(str.isalnum, words))
