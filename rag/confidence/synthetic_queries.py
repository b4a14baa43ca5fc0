"""Questions that a text is known to answer, made from its own sentences. Pure.

Searching for what one knows to be there is called known-item search; Azzopardi, de Rijke and
Balog, "Building simulated queries for known-item topics", SIGIR 2007, draw the words of such
queries from the document and some from elsewhere, as we do. How many words, and from where, was
chosen so that the scores of these questions spread like those of questions that people asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

FEWEST, MOST = 4, 8
"""Telling words that a question takes from a sentence."""

ELSEWHERE = 0.0, 0.2
"""Smallest and largest share of them that are replaced by words from elsewhere: people use other
words than the text does. Each question has a share of its own."""

ELSEWHERE_UNREAD = 0.15, 0.55
"""The same for languages that a model may hardly read: words alone decide there, and so many of
those that people use are not in the text. Chosen so that scores lie as they do for questions of
people; tests/bench/RESULTS.md has the figures."""

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
"""How questions begin; for texts in English."""

_LONGEST = 60
_SHORTEST_TELLING = 4

# Scripts that put no blanks between words: two characters count as a word.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]{{1,2}}|[^\W_{_UNSPACED}]+(?:[-'\u2019.][^\W_{_UNSPACED}]+)*")
# In these two letters say as much as four in others.
_DENSE_WORD = re.compile(f"[{_UNSPACED}\uac00-\ud7a3]{{2}}|[{_UNSPACED}]")


def words(text: str) -> list[str]:
    """The words of a text as they stand there, punctuation left out."""
    return _WORD.findall(text)


def telling(text: str) -> list[str]:
    """Those words that say something of what the text is about: four letters or more, or a digit.

    Small words are short in most languages, and a list of them would be of one language.
    """
    return [word for word in words(text) if _is_telling(word)]


def is_usable(sentence: str) -> bool:
    """Whether a question can be made from it: it has enough to tell, and is no table."""
    found = words(sentence)
    return len(found) <= _LONGEST and sum(map(_is_telling, found)) > FEWEST


def question(
    sentence: str,
    elsewhere: Sequence[str],
    chance: Random,
    frames: Sequence[str] = FRAMES,
    shares: tuple[float, float] = ELSEWHERE,
) -> str:
    """A question that the sentence answers: some of its words in a row, a few replaced.

    Parameters
    ----------
    sentence
        A usable one: :func:`is_usable`.
    elsewhere
        Words that may stand in place of its own; at least one.
    chance
        What to draw with: the same state gives the same question.
    frames
        How questions begin, or none for texts in other languages.
    shares
        Between which shares of its words are replaced.
    """
    found = words(sentence)
    at = [n for n, word in enumerate(found) if _is_telling(word)]
    number = min(len(at), chance.randint(FEWEST, MOST))
    first = chance.randrange(len(at) - number + 1)
    share = chance.uniform(*shares)
    taken = [
        chance.choice(elsewhere) if _is_telling(word) and chance.random() < share else word
        for word in found[at[first] : at[first + number - 1] + 1]
    ]
    return _asked(taken, chance, frames)


def unanswerable(elsewhere: Sequence[str], chance: Random, frames: Sequence[str] = FRAMES) -> str:
    """A question of words that have nothing to do with each other.

    For texts in a language of which there are no foreign questions at hand.
    """
    number = chance.randint(FEWEST, MOST)
    return _asked([chance.choice(elsewhere) for _ in range(number)], chance, frames)


def rarest(sentence: str, counts: Mapping[str, int], most: int = MOST) -> str:
    """The telling words of a sentence that occur least, in the order in which they stand there.

    Parameters
    ----------
    counts
        How often a word occurs, in lower case; one that is not in it is the rarest.
    most
        How many at most.
    """
    found = list(dict.fromkeys(telling(sentence)))
    order = sorted(range(len(found)), key=lambda n: (counts.get(found[n].lower(), 0), n))
    return _joined([found[n] for n in sorted(order[:most])])


def _is_telling(word: str) -> bool:
    return (
        len(word) >= _SHORTEST_TELLING
        or any(character.isdigit() for character in word)
        or _DENSE_WORD.match(word) is not None
    )


def _asked(taken: Sequence[str], chance: Random, frames: Sequence[str]) -> str:
    frame = f"{chance.choice(frames)} " if frames else ""
    return f"{frame}{_joined(taken)}?"


def _joined(taken: Sequence[str]) -> str:
    """Words with blanks between them, but where their script has none."""
    text = " ".join(taken)
    return re.sub(rf"(?<=[{_UNSPACED}]) (?=[{_UNSPACED}])", "", text)
