"""Where words of a document's text stand among the letters of a page: strings in, ranges out.

The text was tidied when it was read: lines joined, hyphens mended, ligatures resolved, columns put
one after the other, footnotes moved. So only letters and digits are compared, without case and
accents, and a sentence may go on from the end of a line to the beginning of any other.
"""

from __future__ import annotations

import functools
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

Range: TypeAlias = tuple[int, int]
"""A half-open range of the letters of a page."""

_SURE = 12
"""Letters: words of so many are not somewhere by chance; fewer must be whole words."""
_SURE_OF_LINE = 8
"""Letters that must fit where a sentence goes on elsewhere than below or beside its last line."""
_FAR_BELOW = 2.5
_SAME_ROW = 0.4
"""Times the size: no further down is the line below, or no more the cell beside."""
_MOST_LOOKS = 300_000
"""At lines on which a sentence may go on, in one search; a page that needs more is made to."""
_MOST_LINES = 300
_BACK = 3
_CONTEXT = 40
"""Letters before and after the words that help to tell one place from another."""
_ALIKE = 90.0
"""Of 100. Of 9,751 sentences, looked for on pages of nine papers where they don't stand, three came
nearer, references that differ in their numbers."""
_LEAST_ALIKE, _MOST_ALIKE = 24, 1_000
_MOST_LETTERS = 50_000
"""Letters of what something merely alike is looked for, and of the page: it takes time."""
_LONGEST = 20_000
"""Letters of what is sought at all."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Words of a document's text, with what stands before and after them on the page."""

    words: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Letters ``start`` to ``end`` of a page, which stand on one line without a wide gap.

    Positions are in points, as if the page had been turned until the line is upright.
    """

    start: int
    end: int
    left: float
    right: float
    base: float
    size: float


@dataclass(frozen=True, slots=True)
class Written:
    """The letters and digits of a page, folded, in the order in which the file has them.

    ``stretches`` cover them all; ``begins`` are the places at which a word begins.
    """

    letters: str
    stretches: tuple[Stretch, ...]
    begins: frozenset[int]


def folded(text: str) -> str:
    """The letters and digits of a text, without case, accents and ligatures."""
    return "".join(map(folded_character, text))


@functools.lru_cache(maxsize=4096)
def folded_character(character: str) -> str:
    """What is compared of one character: nothing where it is a mark, several for a ligature."""
    apart = unicodedata.normalize("NFKD", character)
    return "".join(one for one in apart.casefold() if one.isalnum())


def found(written: Written, sought: Sought) -> tuple[Range, ...]:
    """The ranges of letters that are the words sought, in the order of the words; none if in doubt.

    Where the words stand more than once, those count whose surroundings fit best.
    """
    words = folded(sought.words)
    if not words or len(words) > _LONGEST:
        return ()
    before, after = folded(sought.before[-_LONGEST:]), folded(sought.after[:_LONGEST])
    matches: list[tuple[Range, ...]] = [
        ((at, at + len(words)),) for at in _places(written.letters, words)
    ]
    if len(words) < _SURE:
        matches = [match for match in matches if _is_words(written, match)]
    elif not matches:
        matches = list(_Search(written).matches(words))
    if not matches:
        return _nearly(written.letters, words)
    due = len(before) / (len(before) + len(words) + len(after)) * len(written.letters)

    def fits(match: tuple[Range, ...]) -> tuple[int, float]:
        return _around(written.letters, match, before, after), -abs(match[0][0] - due)

    return max(matches, key=fits)


def _places(letters: str, words: str) -> Iterator[int]:
    """Every place at which the words stand, overlapping ones too."""
    at = letters.find(words)
    while at >= 0:
        yield at
        at = letters.find(words, at + 1)


def _is_words(written: Written, match: tuple[Range, ...]) -> bool:
    """Whether it is whole words, rather than letters inside of others."""
    first, last = match[0][0], match[-1][1]
    return first in written.begins and (last == len(written.letters) or last in written.begins)


def _around(letters: str, match: tuple[Range, ...], before: str, after: str) -> int:
    """How many letters before and after agree with what should stand there."""
    first, last = match[0][0], match[-1][1]
    ahead = letters[max(0, first - _CONTEXT) : first][::-1]
    behind = letters[last : last + _CONTEXT]
    return _common(ahead, before[-_CONTEXT:][::-1]) + _common(behind, after[:_CONTEXT])


def _common(one: str, other: str) -> int:
    """How many letters two texts have in common at their beginning."""
    most = min(len(one), len(other))
    if one[:most] == other[:most]:
        return most
    return bisect_left(range(most), 1, key=lambda at: one[: at + 1] != other[: at + 1])


@dataclass(slots=True)
class _Search:
    """A search that goes from the end of a line to the beginning of any other."""

    written: Written
    looks: int = _MOST_LOOKS
    _ends: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._ends = [one.end for one in self.written.stretches]

    def matches(self, words: str) -> Iterator[tuple[Range, ...]]:
        """Every place at which the words begin and from which they can be followed."""
        for at in self._beginnings(words):
            if self.looks <= 0:
                return
            match = self._followed(at, words, _MOST_LINES)
            if match:
                yield match

    def _beginnings(self, words: str) -> Iterator[int]:
        yield from _places(self.written.letters, words[:_SURE])
        # What begins shortly before the end of a line.
        for one in self.written.stretches:
            for count in range(1, min(_SURE, len(words), one.end - one.start + 1)):
                at = one.end - count
                if at in self.written.begins and self.written.letters.startswith(words[:count], at):
                    yield at

    def _followed(self, at: int, words: str, lines: int) -> tuple[Range, ...] | None:
        """The ranges of the words that begin ``at``, or None if they don't go on anywhere, or
        on more than so many lines.
        """
        self.looks -= 1
        if self.looks <= 0:
            return None
        agreeing = _common(self.written.letters[at : at + len(words)], words)
        if agreeing == len(words):
            return ((at, at + agreeing),)
        if not lines:
            return None
        # A line may end a little earlier: the letters after it can fit by chance.
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
        """Where the rest may stand, after the end of a stretch: the nearest first."""
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
    """Whether it is the line below another, or a cell to the right of it."""
    below = (last.base - one.base) / max(last.size, one.size)
    if abs(below) < _SAME_ROW:
        return one.left >= last.right
    return 0 < below < _FAR_BELOW and one.left < last.right and last.left < one.right


def _nearly(letters: str, words: str) -> tuple[Range, ...]:
    """Where something very much like the words stands, in one run of letters."""
    from rapidfuzz import fuzz
    from rapidfuzz.distance import Indel

    if not _LEAST_ALIKE <= len(words) <= min(len(letters), _MOST_ALIKE):
        return ()
    if len(letters) > _MOST_LETTERS:
        return ()
    alignment = fuzz.partial_ratio_alignment(words, letters, score_cutoff=_ALIKE)
    if alignment is None:
        return ()
    # As many letters as were sought, some of which may belong to what stands before or after.
    start = max(0, alignment.dest_start - _SURE)
    window = letters[start : alignment.dest_end + _SURE]
    same = [
        block
        for block in Indel.opcodes(words, window)
        if block.tag == "equal" and block.dest_end - block.dest_start >= _BACK
    ]
    if not same:
        return ()
    # Letters may be paired with some further out: those next to the others are meant.
    first, last = same[0], same[-1]
    more = _common(words[: first.src_start][::-1], window[: first.dest_start][::-1])
    yet = _common(words[last.src_end :], window[last.dest_end :])
    begin, end = start + first.dest_start - more, start + last.dest_end + yet
    # Other numbers make it another sentence, however much alike: another year, another row.
    return ((begin, end),) if _digits(letters[begin:end]) == _digits(words) else ()


def _digits(letters: str) -> str:
    return "".join(one for one in letters if one.isdecimal())
