"""Align a document's text with the letters of a page: strings in, ranges out.

The text was tidied when loaded: lines joined, hyphenation undone, ligatures resolved, columns put
in order, footnotes moved. So only letters and digits are compared, ignoring case and accents, and a
sentence may continue from the end of a line to the beginning of any other.
"""

from __future__ import annotations

import functools
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

Range: TypeAlias = tuple[int, int]
"""A half-open range of letters on a page."""

_SURE = 12
"""Letters from which a match can't be by chance; shorter matches must be whole words."""
_SURE_OF_LINE = 8
"""Letters that must match where a sentence continues elsewhere than below or beside its last
line."""
_FAR_BELOW = 2.5
_SAME_ROW = 0.4
"""In em: maximum vertical offset of an adjacent cell, and minimum of the line below."""
_MOST_LOOKS = 300_000
"""Maximum number of line continuations tried in one search; a page that needs more is malicious."""
_MOST_LINES = 300
_BACK = 3
_CONTEXT = 40
"""Letters of context, before and after, used to tell matches apart."""
_ALIKE = 90.0
"""Out of 100. Of 9,751 sentences searched for on pages of nine papers that don't contain them,
three scored higher: references that differ in their numbers."""
_LEAST_ALIKE, _MOST_ALIKE = 24, 1_000
_MOST_LETTERS = 50_000
"""Maximum number of letters in a text to match approximately, and on the page: it is slow."""
_LONGEST = 20_000
"""Maximum number of letters to search for."""


@dataclass(frozen=True, slots=True)
class TextPattern:
    """Text to find, with its context before and after on the page."""

    words: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Letters ``start`` to ``end`` of a page, on one line without a wide gap.

    Coordinates are in points, rotated so that the line is upright.
    """

    start: int
    end: int
    left: float
    right: float
    base: float
    size: float


@dataclass(frozen=True, slots=True)
class PageText:
    """The folded letters and digits of a page, in file order.

    ``stretches`` cover them all; ``begins`` are the indices of first letters of words.
    """

    letters: str
    stretches: tuple[Stretch, ...]
    begins: frozenset[int]


def fold(text: str) -> str:
    """Letters and digits of a text, without case, accents and ligatures."""
    return "".join(map(fold_character, text))


@functools.lru_cache(maxsize=4096)
def fold_character(character: str) -> str:
    """Fold one character: empty for a mark, several letters for a ligature."""
    apart = unicodedata.normalize("NFKD", character)
    return "".join(one for one in apart.casefold() if one.isalnum())


def align(written: PageText, sought: TextPattern) -> tuple[Range, ...]:
    """Ranges of letters that match ``sought``, in text order; empty if uncertain.

    Of several matches, those with the best-fitting context are used.
    """
    words = fold(sought.words)
    if not words or len(words) > _LONGEST:
        return ()
    before, after = fold(sought.before[-_LONGEST:]), fold(sought.after[:_LONGEST])
    matches: list[tuple[Range, ...]] = [
        ((at, at + len(words)),) for at in _places(written.letters, words)
    ]
    if len(words) < _SURE:
        matches = [match for match in matches if _is_whole_words(written, match)]
    elif not matches:
        matches = list(_Search(written).matches(words))
    if not matches:
        return _approximate(written.letters, words)
    due = len(before) / (len(before) + len(words) + len(after)) * len(written.letters)

    def fits(match: tuple[Range, ...]) -> tuple[int, float]:
        return _context_agreement(written.letters, match, before, after), -abs(match[0][0] - due)

    return max(matches, key=fits)


def _places(letters: str, words: str) -> Iterator[int]:
    """Every index at which the words occur, including overlapping ones."""
    at = letters.find(words)
    while at >= 0:
        yield at
        at = letters.find(words, at + 1)


def _is_whole_words(written: PageText, match: tuple[Range, ...]) -> bool:
    """Whether it matches whole words rather than parts of others."""
    first, last = match[0][0], match[-1][1]
    return first in written.begins and (last == len(written.letters) or last in written.begins)


def _context_agreement(letters: str, match: tuple[Range, ...], before: str, after: str) -> int:
    """Number of letters before and after the match that agree with the expected context."""
    first, last = match[0][0], match[-1][1]
    ahead = letters[max(0, first - _CONTEXT) : first][::-1]
    behind = letters[last : last + _CONTEXT]
    return _common_prefix(ahead, before[-_CONTEXT:][::-1]) + _common_prefix(
        behind, after[:_CONTEXT]
    )


def _common_prefix(one: str, other: str) -> int:
    """Length of the common prefix of two texts."""
    most = min(len(one), len(other))
    if one[:most] == other[:most]:
        return most
    return bisect_left(range(most), 1, key=lambda at: one[: at + 1] != other[: at + 1])


@dataclass(slots=True)
class _Search:
    """Search in which a match may continue from the end of a line to the beginning of any other."""

    written: PageText
    looks: int = _MOST_LOOKS
    _ends: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._ends = [one.end for one in self.written.stretches]

    def matches(self, words: str) -> Iterator[tuple[Range, ...]]:
        """Every complete match, from any position where the words begin."""
        for at in self._beginnings(words):
            if self.looks <= 0:
                return
            match = self._followed(at, words, _MOST_LINES)
            if match:
                yield match

    def _beginnings(self, words: str) -> Iterator[int]:
        yield from _places(self.written.letters, words[:_SURE])
        # Matches that begin shortly before the end of a line.
        for one in self.written.stretches:
            for count in range(1, min(_SURE, len(words), one.end - one.start + 1)):
                at = one.end - count
                if at in self.written.begins and self.written.letters.startswith(words[:count], at):
                    yield at

    def _followed(self, at: int, words: str, lines: int) -> tuple[Range, ...] | None:
        """Ranges of the words that begin ``at``; None if they can't be continued, or span more than
        ``lines`` lines.
        """
        self.looks -= 1
        if self.looks <= 0:
            return None
        agreeing = _common_prefix(self.written.letters[at : at + len(words)], words)
        if agreeing == len(words):
            return ((at, at + agreeing),)
        if not lines:
            return None
        # Also try a slightly earlier end of the line: its last letters may match by chance.
        last = bisect_right(self._ends, at + agreeing)
        for number in range(last - 1, max(last - 1 - _BACK, -1), -1):
            end = self._ends[number]
            if end <= at:
                break
            rest = words[end - at :]
            for start in self._goes_on(number, rest):
                following = self._followed(start, rest, lines - 1)
                if following:
                    return ((at, end), *following)
        return None

    def _goes_on(self, number: int, rest: str) -> list[int]:
        """Indices at which the rest may continue after a stretch, nearest first."""
        stretches, letters = self.written.stretches, self.written.letters
        self.looks -= len(stretches)
        places: list[tuple[bool, int, int]] = []
        for other, one in enumerate(stretches):
            length = min(len(rest), one.end - one.start, _SURE_OF_LINE)
            if other == number or not letters.startswith(rest[:length], one.start):
                continue
            is_next = _is_next(stretches[number], one)
            if is_next or length >= _SURE_OF_LINE:
                places.append((not is_next, abs(other - number), one.start))
        return [start for _, _, start in sorted(places)]


def _is_next(last: Stretch, one: Stretch) -> bool:
    """Whether ``one`` is the line below ``last``, or a cell to the right of it."""
    below = (last.base - one.base) / max(last.size, one.size)
    if abs(below) < _SAME_ROW:
        return one.left >= last.right
    return 0 < below < _FAR_BELOW and one.left < last.right and last.left < one.right


def _approximate(letters: str, words: str) -> tuple[Range, ...]:
    """Best approximate match in one run of letters."""
    from rapidfuzz import fuzz
    from rapidfuzz.distance import Indel

    if not _LEAST_ALIKE <= len(words) <= min(len(letters), _MOST_ALIKE):
        return ()
    if len(letters) > _MOST_LETTERS:
        return ()
    alignment = fuzz.partial_ratio_alignment(words, letters, score_cutoff=_ALIKE)
    if alignment is None:
        return ()
    # The alignment has the length of the words, so it may include neighbouring text.
    start = max(0, alignment.dest_start - _SURE)
    window = letters[start : alignment.dest_end + _SURE]
    same = [
        block
        for block in Indel.opcodes(words, window)
        if block.tag == "equal" and block.dest_end - block.dest_start >= _BACK
    ]
    if not same:
        return ()
    # It may pair letters with equal ones further out: prefer those adjacent to the match.
    first, last = same[0], same[-1]
    more = _common_prefix(words[: first.src_start][::-1], window[: first.dest_start][::-1])
    yet = _common_prefix(words[last.src_end :], window[last.dest_end :])
    begin, end = start + first.dest_start - more, start + last.dest_end + yet
    # Different numbers mean another sentence, however similar: another year, another row.
    return ((begin, end),) if _digits(letters[begin:end]) == _digits(words) else ()


def _digits(letters: str) -> str:
    return "".join(one for one in letters if one.isdecimal())
