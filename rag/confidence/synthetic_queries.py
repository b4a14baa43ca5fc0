"""Synthetic queries that a text is known to answer, made from its own sentences. Pure functions.

This simulates known-item search: Azzopardi, de Rijke and Balog, "Building simulated queries for
known-item topics", SIGIR 2007, likewise draw most words of such queries from the document and some
from elsewhere. The number of words and the share from elsewhere were chosen so that the scores of
these queries are distributed like those of real ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

FEWEST, MOST = 4, 8
"""Minimum and maximum number of content words taken from a sentence."""

ELSEWHERE = 0.0, 0.2
"""Minimum and maximum share of them replaced by words from elsewhere, since people use other words
than the text does. Drawn for each query."""

ELSEWHERE_UNREAD = 0.15, 0.55
"""The same for languages that the model may hardly read: BM25 alone ranks there, and many words of
real queries are not in the text. Chosen to match the score distribution of real queries;
tests/bench/RESULTS.md has the figures."""

FRAMES = (
    "What is",
    "Who was",
    "Which",
    "How did",
    "When was",
    "Why does",
    "Where is",
    "How many",
    "What does",
)
"""Beginnings of queries, for English texts."""

_LONGEST = 60
_SHORTEST_TELLING = 4

# Scripts without spaces between words: two characters count as a word.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]{{1,2}}|[^\W_{_UNSPACED}]+(?:[-'\u2019.][^\W_{_UNSPACED}]+)*")
# In these scripts, two letters carry as much information as four in others.
_DENSE_WORD = re.compile(f"[{_UNSPACED}\uac00-\ud7a3]{{2}}|[{_UNSPACED}]")


def words(text: str) -> list[str]:
    """The words of a text as written, without punctuation."""
    return _WORD.findall(text)


def content_words(text: str) -> list[str]:
    """The content words: those of four letters or more, or with a digit.

    Function words are short in most languages, and a list of stop words would be specific to one.
    """
    return [word for word in words(text) if _is_content_word(word)]


def is_usable(sentence: str) -> bool:
    """Whether a sentence has enough content words for a query, and isn't a table."""
    found = words(sentence)
    return len(found) <= _LONGEST and sum(map(_is_content_word, found)) > FEWEST


def question(
    sentence: str,
    elsewhere: Sequence[str],
    chance: Random,
    frames: Sequence[str] = FRAMES,
    shares: tuple[float, float] = ELSEWHERE,
) -> str:
    """A query that the sentence answers: consecutive words of it, with a few replaced.

    Parameters
    ----------
    sentence
        A usable one: :func:`is_usable`.
    elsewhere
        Words to use as replacements; at least one.
    chance
        Random generator; the same state gives the same query.
    frames
        Beginnings of queries, or empty for texts in other languages.
    shares
        Minimum and maximum share of words to replace.
    """
    found = words(sentence)
    at = [n for n, word in enumerate(found) if _is_content_word(word)]
    number = min(len(at), chance.randint(FEWEST, MOST))
    first = chance.randrange(len(at) - number + 1)
    share = chance.uniform(*shares)
    taken = [
        chance.choice(elsewhere) if _is_content_word(word) and chance.random() < share else word
        for word in found[at[first] : at[first + number - 1] + 1]
    ]
    frame = f"{chance.choice(frames)} " if frames else ""
    return f"{frame}{_join(taken)}?"


def unanswerable(elsewhere: Sequence[str], chance: Random) -> str:
    """A query of unrelated words, for languages without a set of out-of-domain queries."""
    number = chance.randint(FEWEST, MOST)
    return f"{_join([chance.choice(elsewhere) for _ in range(number)])}?"


def rarest(sentence: str, counts: Mapping[str, int]) -> str:
    """The rarest content words of a sentence, in their original order; at most :data:`MOST`.

    ``counts`` has the frequency of each lower-case word; a missing word is the rarest.
    """
    found = list(dict.fromkeys(content_words(sentence)))
    order = sorted(range(len(found)), key=lambda n: (counts.get(found[n].lower(), 0), n))
    return _join([found[n] for n in sorted(order[:MOST])])


def _is_content_word(word: str) -> bool:
    return (
        len(word) >= _SHORTEST_TELLING
        or any(character.isdigit() for character in word)
        or _DENSE_WORD.match(word) is not None
    )


def _join(taken: Sequence[str]) -> str:
    """Join words with spaces, except in scripts that have none."""
    text = " ".join(taken)
    return re.sub(rf"(?<=[{_UNSPACED}]) (?=[{_UNSPACED}])", "", text)
