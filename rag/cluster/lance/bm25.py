"""BM25 over passages that were proposed, as the embedded engine scores them.

Lance proposes passages by its own BM25, which knows of no bound, no second field of less weight and
no word with two stems. What it proposes is scored here, from the stems that lie with each passage
and from how often each stem occurs in the library: by the formula of tantivy, lengths rounded as it
rounds them, so that a passage has the same score in both engines.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.index.lexical import CONTEXT_WEIGHT, SATURATION
from rag.text.analyzers import Stems
from rag.types.arrays import Scores

K1, B = 1.2, 0.75
"""Of BM25 (Robertson and Zaragoza, 2009), as tantivy has them."""

_EXACT = 40
"""Up to this length, lengths are kept as they are."""

_SHIFTED = 24
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Field:
    """What is known of one field of all passages: in how many of them each stem occurs, of those
    that are asked for, and how many stems they have on average.
    """

    frequencies: Mapping[str, int]
    mean: float

    def most_frequent(self, stems: Stems) -> int:
        """In how many passages a word occurs: as often as its most frequent stem, since the others
        are chance, or misspelt.
        """
        return max(self.frequencies.get(stem, 0) for stem in stems)


def scores(
    words: Sequence[Stems],
    texts: Sequence[str],
    contexts: Sequence[str],
    *,
    text: Field,
    context: Field,
    passages: int,
) -> Scores:
    """BM25 of passages as a share of the best there is for the words, in [0, 1].

    Parameters
    ----------
    words
        Those of the question, by all of their stems.
    texts, contexts
        The stems of each passage, and of the title and headings above it, with blanks between.
    text, context
        What is known of both fields.
    passages
        How many the library has.
    """
    bound = SATURATION * sum(rarity(text.most_frequent(stems), passages) for stems in words)
    if bound <= 0.0:
        return np.zeros(len(texts))
    found = [
        _score(words, one, text, passages)
        + CONTEXT_WEIGHT * _score(words, other, context, passages)
        for one, other in zip(texts, contexts, strict=True)
    ]
    return np.minimum(np.array(found, dtype=np.float64) / bound, 1.0)


def _score(words: Sequence[Stems], stems: str, field: Field, passages: int) -> float:
    listed = stems.split()
    counts = Counter(listed)
    norm = K1 * (1.0 - B + B * rounded(len(listed)) / max(field.mean, 1e-12))

    def of(stem: str) -> float:
        count = counts.get(stem, 0)
        if not count:
            return 0.0
        weight = rarity(field.frequencies.get(stem, 0), passages)
        return weight * (1.0 + K1) * count / (count + norm)

    return sum(max(map(of, word)) for word in words)


def rarity(found: int, passages: int) -> float:
    """Inverse document frequency of a word that occurs in ``found`` of the passages."""
    return math.log1p(max(passages - found + 0.5, 0.0) / (found + 0.5))


def rounded(length: int) -> int:
    """A length as tantivy and Lucene keep it, in one byte: four binary digits and a shift."""
    if length < _EXACT:
        return length
    above = length - _SHIFTED
    shift = above.bit_length() - _DIGITS
    return _SHIFTED + (above >> shift << shift)
