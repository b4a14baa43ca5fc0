"""Slips of spelling: the word that was meant, among words that are known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rag.types import Respelling

FEWEST_LETTERS = 4
"""In shorter words every slip makes another word."""

LETTERS_FOR_TWO_SLIPS = 8

LETTERS_OF_A_PLAIN_NAME = 7
"""In shorter names a slip makes the name of somebody else."""

MOST_WORDS = 10
"""Unknown words of one question that are looked up: each costs a walk through what is known."""


def slips_allowed(word: str) -> int:
    """How many slips a word may have: none below 4 letters, one below 8, else two."""
    if len(word) < FEWEST_LETTERS or not word.isalpha():
        return 0
    return 1 if len(word) < LETTERS_FOR_TWO_SLIPS else 2


def nearest(word: str, known: Iterable[tuple[str, int]]) -> str | None:
    """The known word with the fewest slips, or None where all have more than are allowed.

    A slip is a letter added, dropped, changed or swapped with the next, and no stretch is edited
    twice: the optimal string alignment distance (Damerau, "A technique for computer detection and
    correction of spelling errors", Communications of the ACM, 1964).

    Parameters
    ----------
    word
        As it was asked, in the form in which the others are known.
    known
        Words, each with how often it occurs: of equally near ones the most frequent is taken,
        then the first by the alphabet.
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
    """Whether one word is the other with slips inside a long word, its first and last letter right.

    Shorter words and other endings make names of others: *Lorie* and *Loire*, *Ivanov* and
    *Ivanova*. Case makes no difference.
    """
    asked, found = asked.casefold(), found.casefold()
    ends_alike = (asked[0], asked[-1]) == (found[0], found[-1])
    return ends_alike and len(asked) >= LETTERS_OF_A_PLAIN_NAME


def respelled(text: str, respellings: Sequence[Respelling]) -> str:
    """The text with other words in place of those that were asked."""
    for one in respellings:
        text = re.sub(rf"\b{re.escape(one.asked)}\b", one.found, text)
    return text
