"""Spelling correction: the nearest known word by edit distance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rag.types import Respelling

FEWEST_LETTERS = 4
"""Minimum letters of a word to be corrected; in shorter ones every slip makes another word."""

LETTERS_FOR_TWO_SLIPS = 8

LETTERS_OF_A_PLAIN_NAME = 7
"""Minimum letters of a name to be corrected; in shorter ones a slip makes somebody else's name."""

MOST_WORDS = 10
"""Maximum unknown words looked up per query: each costs a scan of the known words."""


def slips_allowed(word: str) -> int:
    """Maximum edit distance: 0 below 4 letters, 1 below 8, else 2."""
    if len(word) < FEWEST_LETTERS or not word.isalpha():
        return 0
    return 1 if len(word) < LETTERS_FOR_TWO_SLIPS else 2


def nearest(word: str, known: Iterable[tuple[str, int]]) -> str | None:
    """The nearest known word, or None if all exceed the maximum edit distance.

    An edit is a letter added, dropped, changed or swapped with the next, and no substring is edited
    twice: the optimal string alignment distance (Damerau, "A technique for computer detection and
    correction of spelling errors", Communications of the ACM, 1964).

    Parameters
    ----------
    word
        The query word, in the same index form as the known words.
    known
        Words with their frequencies; ties go to the most frequent, then to the first in
        alphabetical order.
    """
    from rapidfuzz.distance import OSA

    most = slips_allowed(word)
    near = [
        (slips, -count, other)
        for other, count in known
        if (slips := OSA.distance(word, other, score_cutoff=most)) <= most
    ]
    return min(near)[2] if near else None


def is_plain_slip(asked: str, found: str) -> bool:
    """Whether two words differ by slips inside a long word, with the first and last letter right.

    Shorter words and different endings are often other names: *Lorie* and *Loire*, *Ivanov* and
    *Ivanova*. Case is ignored.
    """
    asked, found = asked.casefold(), found.casefold()
    ends_alike = (asked[0], asked[-1]) == (found[0], found[-1])
    return ends_alike and len(asked) >= LETTERS_OF_A_PLAIN_NAME


def correct(text: str, respellings: Sequence[Respelling]) -> str:
    """The text with the replacements applied."""
    for one in respellings:
        text = re.sub(rf"\b{re.escape(one.asked)}\b", one.found, text)
    return text
