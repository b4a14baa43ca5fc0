"""Term statistics of a shared library: a table derived from passages.

It is recounted at the end of a run that changed much, so it may lag behind a little: that shifts
weights, but hides no passage. A term is prefixed with its field; see :data:`FIELDS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from rag.cluster.lance.bm25 import Field
from rag.cluster.lance.filter_sql import one_of, quote
from rag.cluster.lance.table import Table
from rag.cluster.lance.workers import Part
from rag.index.columns import Row
from rag.text import spelling
from rag.text.analyzers import Analysis
from rag.text.stemmer import ENGLISH, kind_of
from rag.types import Respelling
from rag.types.arrays import Pieces

STEM, CONTEXT, LITERAL, PIECE, KIND, TOTAL = "s:", "c:", "l:", "p:", "k:", "n:"
FIELDS = (STEM, CONTEXT, LITERAL, PIECE, KIND, TOTAL)
"""Stems of passages, stems of titles and headings above them, literal words, word pieces of the
model, languages of analysis, and totals over all passages."""

PASSAGES, STEMS, CONTEXTS = TOTAL + "passages", TOTAL + "stems", TOTAL + "context"
VERSION = TOTAL + "version"
"""Term that holds the version of the passages that was counted."""

REMEMBERED = 100_000
"""Maximum number of cached terms per version: queries ask for the same ones again."""

COLUMNS = ("stems", "context", "literal", "pieces", "language")
"""Passage columns to count."""


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

    def fields(self, stems: Sequence[str]) -> tuple[Field, Field]:
        """BM25 statistics of the stems in passages, and in titles and headings."""
        found = self._of([field + stem for stem in stems for field in (STEM, CONTEXT)])
        sums = self._sums
        number = max(self.passages, 1)
        texts, contexts = (
            {stem: found[field + stem] for stem in stems if field + stem in found}
            for field in (STEM, CONTEXT)
        )
        return (
            Field(texts, sums.get(STEMS, 0) / number),
            Field(contexts, sums.get(CONTEXTS, 0) / number),
        )

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
        words = set(self.analysis.spellings(question).values())
        forms = {
            word: [LITERAL + word]
            + [
                field + stem
                for stems in self.analysis.words(word)
                for stem in stems
                for field in (STEM, CONTEXT)
            ]
            for word in words
        }
        there = self._of([term for terms in forms.values() for term in terms])
        return lambda word: any(term in there for term in forms[word])

    def _near(self, word: str) -> list[tuple[str, int]]:
        """Candidate corrections. A transposition counts as two edits here."""
        slips = 2 * spelling.slips_allowed(word)
        condition = (
            f"starts_with(term, {quote(LITERAL + word[0])})"
            f" AND levenshtein(term, {quote(LITERAL + word)}) <= {slips}"
        )
        return [
            (term.removeprefix(LITERAL), count) for term, count in self._found(condition).items()
        ]

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
