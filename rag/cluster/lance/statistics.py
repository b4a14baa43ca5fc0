"""Term statistics of a shared library, and BM25 by them.

The statistics are a table derived from passages. It is recounted at the end of a run that changed
much, so it may lag behind a little: that shifts weights, but hides no passage.

Lance retrieves passages by its own BM25, which has no upper bound, no second field with a lower
weight, and no words with two stems. They are scored here, from the stems stored with each passage:
with tantivy's formula and its rounding of lengths, so that a passage has the same score in both
engines.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from rag.cluster.lance.filter_sql import one_of, quote
from rag.cluster.lance.indexes import Part
from rag.cluster.lance.table import Table
from rag.index.columns import Row
from rag.index.lexical import CONTEXT_WEIGHT, SATURATION
from rag.text import spelling
from rag.text.analyzers import Analysis, Stems
from rag.text.stemmer import ENGLISH, kind_of
from rag.types import Respelling
from rag.types.arrays import Pieces, Scores

STEM, CONTEXT, LITERAL, PIECE, KIND, TOTAL = "s:", "c:", "l:", "p:", "k:", "n:"
"""Prefixes of terms: stems of passages, stems of titles and headings above them, literal words,
word pieces of the model, languages of analysis, and totals over all passages."""

PASSAGES, STEMS, CONTEXTS = TOTAL + "passages", TOTAL + "stems", TOTAL + "context"
VERSION = TOTAL + "version"
"""Term that holds the version of the passages that was counted."""

REMEMBERED = 100_000
"""Maximum number of cached terms per version: queries ask for the same ones again."""

COLUMNS = ("stems", "context", "literal", "pieces", "language")
"""Passage columns to count."""

K1, B = 1.2, 0.75
"""BM25 parameters (Robertson and Zaragoza, 2009), with tantivy's values."""


def count_terms(passages: Iterable[Row]) -> Counter[str]:
    """Document frequency of each term over passages, and the totals."""
    found: Counter[str] = Counter()
    for row in passages:
        stems, context = row["stems"].split(), row["context"].split()
        found.update({PASSAGES: 1, STEMS: len(stems), CONTEXTS: len(context)})
        found.update(STEM + one for one in set(stems))
        found.update(CONTEXT + one for one in set(context))
        found.update(LITERAL + one for one in set(row["literal"].split()))
        pieces = np.unique(np.frombuffer(row["pieces"], dtype=np.int32))
        found.update(f"{PIECE}{one}" for one in pieces.tolist())
        found[KIND + kind_of(row["language"])] += 1
    return found


def count_part(part: Part) -> Counter[str]:
    """As :func:`count_terms`, for one part of the passages."""
    return count_terms(part.table().each(COLUMNS, part.files))


def sum_counts(counts: Iterable[Counter[str]]) -> Counter[str]:
    """Sum the counts of parts."""
    found: Counter[str] = Counter()
    for one in counts:
        found.update(one)
    return found


class Statistics:
    """The statistics at one version of the table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._cache: dict[str, int] = {}

    @property
    def version(self) -> int:
        """Version of the table."""
        return self._table.version

    @cached_property
    def _sums(self) -> Mapping[str, int]:
        kinds = f"starts_with(term, {quote(KIND)})"
        totals = one_of("term", (PASSAGES, STEMS, CONTEXTS))
        return self._found(f"{kinds} OR {totals}")

    @cached_property
    def analysis(self) -> Analysis:
        """Query analysis in all languages of the library's texts."""
        kinds = [term.removeprefix(KIND) for term in self._sums if term.startswith(KIND)]
        return Analysis(kinds or [ENGLISH])

    @property
    def passages(self) -> int:
        """Number of passages counted."""
        return self._sums.get(PASSAGES, 0)

    def scores(self, question: str, passages: Sequence[Row]) -> Scores:
        """BM25 of passages as a share of the upper bound for the query, in [0, 1].

        ``passages`` have the columns ``stems`` and ``context``: space-separated stems of the text,
        and of the title and headings above it.
        """
        words = self.analysis.words(question)
        stems = list(chain.from_iterable(words))
        terms = [field + stem for field in (STEM, CONTEXT) for stem in stems]
        known = self._of(terms)
        idf = {term: self._idf(known.get(term, 0)) for term in terms}
        bound = SATURATION * sum(map(self._word_idf, words))
        if bound <= 0.0:
            return np.zeros(len(passages))
        found = [
            self._score(words, STEM, row["stems"].split(), STEMS, idf)
            + CONTEXT_WEIGHT * self._score(words, CONTEXT, row["context"].split(), CONTEXTS, idf)
            for row in passages
        ]
        return np.minimum(np.array(found, dtype=np.float64) / bound, 1.0)

    def _score(
        self,
        words: Sequence[Stems],
        field: str,
        stems: Sequence[str],
        total: str,
        idf: Mapping[str, float],
    ) -> float:
        """BM25 of one field of a passage; a word counts by its best stem."""
        mean = self._sums.get(total, 0) / max(self.passages, 1)
        norm = K1 * (1.0 - B + B * quantized_length(len(stems)) / max(mean, 1e-12))
        counts = Counter(stems)

        def of(stem: str) -> float:
            count = counts[stem]
            return idf[field + stem] * (1.0 + K1) * count / (count + norm) if count else 0.0

        return sum(max(map(of, word)) for word in words)

    def coverage(self, question: str, texts: Sequence[str]) -> Scores:
        """IDF-weighted share of the query words that each text has in some form, in [0, 1]."""
        words = self.analysis.words(question)
        self._of([STEM + stem for stem in chain.from_iterable(words)])  # in one request
        return np.array(self.analysis.coverage(question, texts, self._word_idf))

    def _word_idf(self, stems: Stems) -> float:
        """IDF of a word's most frequent stem, as the others are accidental or misspelt."""
        return self._idf(max(self._of([STEM + stem for stem in stems]).values(), default=0))

    def _idf(self, found: int) -> float:
        return math.log1p(max(self.passages - found + 0.5, 0.0) / (found + 0.5))

    def piece_frequencies(self, pieces: Pieces) -> tuple[NDArray[np.int64], int]:
        """Number of passages that contain each word piece, and total number of passages."""
        terms = [f"{PIECE}{piece}" for piece in pieces.tolist()]
        found = self._of(terms)
        return np.array([found.get(term, 0) for term in terms], dtype=np.int64), self.passages

    def respellings(self, question: str) -> tuple[Respelling, ...]:
        """Corrections for query words that occur nowhere but are similar to a known one; the first
        letter must match, as in the embedded engine.
        """
        suspects = self.analysis.suspects(question, self._known_words(question))
        found = []
        for asked, word in islice(suspects.items(), spelling.MOST_WORDS):
            meant = spelling.nearest(word, self._near(word))
            if meant:
                found.append(Respelling(asked, meant))
        return tuple(found)

    def _known_words(self, question: str) -> Callable[[str], bool]:
        """Return a predicate for query words that occur in any passage or title, in any form."""
        forms = {
            word: [
                LITERAL + word,
                *(
                    field + stem
                    for stem in chain.from_iterable(self.analysis.words(word))
                    for field in (STEM, CONTEXT)
                ),
            ]
            for word in set(self.analysis.spellings(question).values())
        }
        there = self._of(list(chain.from_iterable(forms.values())))
        return lambda word: any(term in there for term in forms[word])

    def _near(self, word: str) -> list[tuple[str, int]]:
        """Candidate corrections. A transposition counts as two edits here."""
        slips = 2 * spelling.slips_allowed(word)
        found = self._found(
            f"starts_with(term, {quote(LITERAL + word[0])})"
            f" AND levenshtein(term, {quote(LITERAL + word)}) <= {slips}"
        )
        return [(term.removeprefix(LITERAL), count) for term, count in found.items()]

    def _of(self, terms: Sequence[str]) -> dict[str, int]:
        """Document frequencies of those terms that occur."""
        known = self._cache
        new = [term for term in dict.fromkeys(terms) if term not in known]
        if new:
            found = self._found(one_of("term", new))
            # Replaced, never mutated: other threads may be reading it.
            known = known | {term: found.get(term, 0) for term in new}
            self._cache = known if len(known) <= REMEMBERED else {}
        return {term: known[term] for term in terms if known[term]}

    def _found(self, condition: str) -> dict[str, int]:
        rows = self._table.rows(("term", "passages"), condition)
        return {row["term"]: row["passages"] for row in rows}


def quantized_length(length: int) -> int:
    """A length as tantivy and Lucene quantise it to one byte: exact below 40, then four significant
    bits and a shift.
    """
    if length < 40:  # noqa: PLR2004 (see above)
        return length
    above = length - 24
    shift = above.bit_length() - 4
    return 24 + (above >> shift << shift)
