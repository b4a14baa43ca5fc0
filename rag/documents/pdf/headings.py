"""Detect headings and their levels, by style and by the outline, and the title."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from rag.documents.loaded import LONGEST_HEADING
from rag.documents.pdf.file import Pdf
from rag.documents.pdf.page import Row
from rag.documents.pdf.paragraphs import Paragraph
from rag.documents.whitespace import one_line

_LARGER = 1.12
"""Ratio to the body size from which text stands out as larger."""
_NOT_SMALLER = 0.95
_SMALLEST = 0.8
_SHORT = 30
_LONGEST = 150
_MOST_LINES = 3
_LEAST_WORDY = 0.6
"""Minimum share of letters in a heading; formulas and numbers have fewer."""
_LOWEST = 6
"""Deepest heading level; deeper ones are not distinguished."""
_LONGEST_TITLE = 300
_SAME_SIZE = 0.03

_NUMBERED = re.compile(
    r"(?:(?:\d{1,2}|[A-Z])(?P<deeper>(?:\.\d{1,2}){0,4})\.?|[IVX]{1,5}\.|"
    r"(?:appendix|chapter|section|part|kapitel)\s+\w{1,4}[.:]?)\s+(?=[^\W\d_])",
    re.IGNORECASE,
)
_ROMAN = re.compile(r"[IVX]{1,5}\. +[A-Z]")
_KNOWN = re.compile(
    r"(?:abstract|introduction|related work|background|methods?|results|discussion|limitations|"
    r"conclusions?|references|bibliography|acknowledge?ments?|append(?:ix|ices)|contents|"
    r"table of contents|summary|glossary|index|preface|foreword)",
    re.IGNORECASE,
)
_CAPTION = re.compile(r"(?:figure|fig\.|table|algorithm|listing)\s*\d", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}")

_MOST_BOOKMARKS = 10_000
_LEAST_MATCHED = 0.5
"""Minimum share of an outline found on the pages; with less, it is wrong or badly made."""
_OUTLINE_NUMBER = re.compile(r"(?:[a-z]|\d{1,3}|[ivx]{1,5})(?:\.\d{1,3})*[.:)]?\s+")


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An outline entry: ``level``, 0 for the outermost, and page, counted from 0."""

    title: str
    level: int
    page: int


def size_of_body(pages: Iterable[Iterable[Iterable[Row]]]) -> float:
    """The font size of most of the text; 0 if there is none."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for region in page:
            for row in region:
                sizes[_rounded(row.size)] += len(row.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def levels(
    paragraphs: Sequence[Paragraph], body: float, title: Paragraph | None
) -> Mapping[int, int]:
    """Levels of the paragraphs that are headings, by index in ``paragraphs``.

    The title has level 1. A section number gives its level ("3.2" is one below "3"); an unnumbered
    heading has the level of numbered ones in the same style, or else a level by its size.
    """
    bold_body = _is_mostly_bold(paragraphs)
    found = [
        place
        for place in range(_first_after_authors(paragraphs, title), len(paragraphs))
        if paragraphs[place] is not title
        and _is_heading(paragraphs[place], body, bold_body=bold_body)
    ]
    candidates = frozenset(found)
    found = [place for place in found if _has_text_below(place, paragraphs, candidates, body)]
    found = _consistent(found, paragraphs)
    styles = _levels_of_styles([paragraphs[place] for place in found])
    result = {
        place: min(
            _level_of_number(paragraphs[place]) or styles[_style_of(paragraphs[place])], _LOWEST
        )
        for place in found
    }
    if title is not None:
        result |= {at: 1 for at, paragraph in enumerate(paragraphs) if paragraph is title}
    return result


def title_of(paragraphs: Iterable[Paragraph], body: float, middle: float) -> Paragraph | None:
    """The largest text of the first page above its ``middle``, if it stands out."""
    largest: Paragraph | None = None
    for paragraph in paragraphs:
        if paragraph.parts[0].page > 0:
            break
        if (
            paragraph.top > middle
            and paragraph.size >= _LARGER * body
            and len(paragraph.text) <= _LONGEST_TITLE
            and _WORD.search(paragraph.text)
            and (largest is None or paragraph.size > largest.size * (1 + _SAME_SIZE))
        ):
            largest = paragraph
    return largest


def _is_known(text: str) -> bool:
    """Whether this is a common section title: "Abstract", "References"."""
    return bool(_KNOWN.fullmatch(text.rstrip(".:")))


def _first_after_authors(paragraphs: Sequence[Paragraph], title: Paragraph | None) -> int:
    """Index from which headings may occur: bold author names come between title and abstract."""
    if title is None:
        return 0
    for place, paragraph in enumerate(paragraphs):
        if paragraph.parts[0].page > 0:
            break
        if paragraph.text.casefold().strip(" .:—-") == "abstract":
            return place
        if _NUMBERED.match(paragraph.text) and _KNOWN.search(paragraph.text):
            return place
    return 0


def _is_mostly_bold(paragraphs: Iterable[Paragraph]) -> bool:
    bold = total = 0
    for paragraph in paragraphs:
        size = sum(len(part.text) for part in paragraph.parts)
        total += size
        bold += size * paragraph.bold
    return bold * 2 > total


def _is_heading(paragraph: Paragraph, body: float, *, bold_body: bool) -> bool:
    """Whether a paragraph's wording and style are those of a heading."""
    text = paragraph.text
    if not paragraph.is_prose or paragraph.lines > _MOST_LINES or not _reads_like_title(text):
        return False
    number = _NUMBERED.match(text)
    words = text[number.end() :] if number else text
    known = _is_known(words)
    is_large = paragraph.size >= _LARGER * body
    is_capital = number is not None and words.isupper() and paragraph.lines == 1
    is_roman = paragraph.is_label and bool(_ROMAN.match(text))
    stands_out = known or is_roman or (paragraph.bold and not bold_body)
    # Small caps are smaller than they look.
    return (is_large or is_capital or (stands_out and paragraph.size >= _NOT_SMALLER * body)) and (
        words[:1].isupper() or known
    )


def _reads_like_title(text: str) -> bool:
    """Whether it may be a section title: short, made of words, and not a sentence."""
    if len(text) > _LONGEST or _CAPTION.match(text) or not _is_wordy(text):
        return False
    names_known = bool(_KNOWN.search(text)) and len(text) < _SHORT
    return not text.endswith((",", ";", "-")) and (not text.endswith(".") or names_known)


def _consistent(found: Sequence[int], paragraphs: Sequence[Paragraph]) -> list[int]:
    """Candidates consistent with the document's heading style.

    If sections are numbered, large unnumbered text may belong to a figure, unless it reads like a
    section title or is bold like the numbered headings.
    """
    numbered = {
        _style_of(paragraphs[place]) for place in found if _NUMBERED.match(paragraphs[place].text)
    }
    if not numbered:
        return list(found)
    some_bold = any(bold for _, bold in numbered)
    return [
        place
        for place in found
        if _style_of(paragraphs[place]) in numbered
        or (some_bold and paragraphs[place].bold)
        or paragraphs[place].size > max(size for size, _ in numbered)
        or _is_known(paragraphs[place].text)
    ]


def _has_text_below(
    place: int, paragraphs: Sequence[Paragraph], found: Container[int], body: float
) -> bool:
    """Whether body text or another heading follows; text in a figure is followed by neither."""
    if _NUMBERED.match(paragraphs[place].text) or place + 1 == len(paragraphs):
        return True
    following = paragraphs[place + 1]
    if place + 1 in found:
        return True
    return not following.is_label and following.size >= _SMALLEST * body


def _is_wordy(text: str) -> bool:
    printed = [character for character in text if not character.isspace()]
    letters = sum(character.isalpha() for character in printed)
    return bool(_WORD.search(text)) and letters >= _LEAST_WORDY * len(printed)


def _level_of_number(paragraph: Paragraph) -> int | None:
    number = _NUMBERED.match(paragraph.text)
    return 2 + (number["deeper"] or "").count(".") if number else None


def _levels_of_styles(found: Sequence[Paragraph]) -> Mapping[tuple[float, bool], int]:
    """Heading level of each style, from section numbers or, failing these, from size."""
    numbered: dict[tuple[float, bool], Counter[int]] = {}
    for paragraph in found:
        level = _level_of_number(paragraph)
        if level is not None:
            numbered.setdefault(_style_of(paragraph), Counter())[level] += 1
    known = {style: counts.most_common(1)[0][0] for style, counts in numbered.items()}
    result = dict(known)
    styles = sorted({_style_of(paragraph) for paragraph in found}, reverse=True)
    for rank, style in enumerate(styles, 2):
        larger = [level for other, level in known.items() if other[0] >= style[0]]
        result.setdefault(style, max(larger, default=2) if known else rank)
    return result


def _style_of(paragraph: Paragraph) -> tuple[float, bool]:
    """A paragraph's style: size in steps of half a point, and whether it is bold."""
    return _rounded(paragraph.size), paragraph.bold


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def bookmarks(pdf: Pdf) -> Iterator[Bookmark]:
    """The outline's entries, in order, except those without a title or a page in this file."""
    for entry in islice(pdf.get_toc(), _MOST_BOOKMARKS):
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
        place: min(max(2, outermost + entry.level), _LOWEST)
        for place, entry in found.items()
        if place not in named
    }
    looks: defaultdict[tuple[float, bool], Counter[int]] = defaultdict(Counter)
    for place, level in result.items():
        looks[_style_of(paragraphs[place])][level] += 1
    for place, level in levels.items():
        look = _style_of(paragraphs[place])
        if paragraphs[place] is title or _is_known(paragraphs[place].text):
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
    number = _OUTLINE_NUMBER.match(plain)
    words = plain[number.end() :] if number else plain
    return "".join(filter(str.isalnum, words))
