"""BM25 scores of candidates, identical to those of the embedded engine.

Lance retrieves candidates by its own BM25, which has no upper bound, no second field with a lower
weight, and no words with two stems. They are scored here, from the stems stored with each passage
and the document frequency of each stem: with tantivy's formula and tantivy's rounding of lengths,
so that a passage has the same score in both engines.
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
"""BM25 parameters (Robertson and Zaragoza, 2009), with tantivy's values."""

_EXACT = 40
"""Length up to which lengths are not rounded."""

_SHIFTED = 24
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Field:
    """Statistics of one field over all passages: document frequency of each query stem, and average
    length in stems.
    """

    frequencies: Mapping[str, int]
    mean: float

    def document_frequency(self, stems: Stems) -> int:
        """Document frequency of a word: that of its most frequent stem, as the others are chance or
        misspellings.
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
    """BM25 of passages as a share of the upper bound for the query, in [0, 1].

    Parameters
    ----------
    words
        The query's words, each with all of its stems.
    texts, contexts
        Space-separated stems of each passage, and of the title and headings above it.
    text, context
        Statistics of both fields.
    passages
        Number of passages in the library.
    """
    bound = SATURATION * sum(idf(text.document_frequency(stems), passages) for stems in words)
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
    norm = K1 * (1.0 - B + B * quantized_length(len(listed)) / max(field.mean, 1e-12))

    def of(stem: str) -> float:
        count = counts.get(stem, 0)
        if not count:
            return 0.0
        weight = idf(field.frequencies.get(stem, 0), passages)
        return weight * (1.0 + K1) * count / (count + norm)

    return sum(max(map(of, word)) for word in words)


def idf(found: int, passages: int) -> float:
    """IDF of a word that occurs in ``found`` of the passages."""
    return math.log1p(max(passages - found + 0.5, 0.0) / (found + 0.5))


def quantized_length(length: int) -> int:
    """A length as quantised to one byte by tantivy and Lucene: four significant bits and a
    shift.
    """
    if length < _EXACT:
        return length
    above = length - _SHIFTED
    shift = above.bit_length() - _DIGITS
    return _SHIFTED + (above >> shift << shift)
