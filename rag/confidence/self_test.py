"""Self-test of a library with known-item queries.

Searches for titles, headings and the rarest words of single sentences; the document that each comes
from must be found. The same library gives the same queries, so a document that was found last time
and isn't now has been lost.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import TypeAlias, TypeVar

from rag.confidence import synthetic_queries
from rag.errors import InputError, LibraryError
from rag.index.engine import Engine, Notes, Reader
from rag.runtime.files import printable
from rag.types import DocumentSummary, Hit, Passage
from rag.types.filters import Filter
from rag.types.reports import Findability, LostDocument, QueryOutcome, SelfTest

T = TypeVar("T")

Search: TypeAlias = Callable[[str, int], list[Hit]]
"""Returns the best hits for a query, at most the given number."""

NAME = "check"
"""Key under which the ranks are stored for the next run."""

DEPTH = 10
"""Rank down to which a document counts as found."""

_FEWEST_WORDS = 2


@dataclass(frozen=True, slots=True)
class Case:
    """A known item of a document, and the query for it.

    ``text`` is the item: a sentence if ``in_passage``, else a title or a heading.
    """

    document: DocumentSummary
    query: str
    text: str
    in_passage: bool

    @property
    def name(self) -> str:
        """Stable identifier of the item across runs."""
        return f"{self.document.id} {self.query}"

    def is_met(self, hit: Hit) -> bool:
        """Whether a hit is the item or a copy of it: a sentence must be in the passage, while for a
        title or heading any passage of the document counts.
        """
        if self.in_passage:
            return self.text in hit.text
        return hit.document_id == self.document.id or self.text in (hit.title, *hit.headings)


def check(
    engine: Engine, search: Search, queries: int, on_progress: Callable[[int, int], None]
) -> SelfTest:
    """Run the self-test, and compare it with the previous run.

    Parameters
    ----------
    queries
        Maximum number, at least 1. Every type of document gets the same number, as far as there are
        documents.
    on_progress
        Called after each query with the number done and the total.

    Raises
    ------
    InputError
        If ``queries`` is below 1.
    """
    if queries < 1:
        raise InputError(f"the number of queries must be at least 1, not {queries}")
    began = time.perf_counter()
    before = _stored_ranks(engine.notes)
    asked = cases(engine, queries)[:queries]
    ranks: dict[str, int] = {}
    for done, case in enumerate(asked, 1):
        hits = search(case.query, DEPTH)
        ranks[case.name] = next((hit.rank for hit in hits if case.is_met(hit)), 0)
        on_progress(done, len(asked))
    # If the library can't be written there is no comparison next time, but results all the same.
    with suppress(LibraryError):
        engine.notes.keep(NAME, json.dumps(_existing(before, engine.reader) | ranks))
    by_type: dict[str, list[str]] = {}
    for case in asked:
        by_type.setdefault(_type(case.document), []).append(case.name)
    missed = [case for case in asked if not ranks[case.name]]
    return SelfTest(
        total=_figures("", [case.name for case in asked], ranks, before),
        types=tuple(_figures(one, by_type[one], ranks, before) for one in sorted(by_type)),
        missed=tuple(map(_lost_document, missed)),
        lost=tuple(_lost_document(case) for case in missed if before.get(case.name)),
        seconds=time.perf_counter() - began,
    )


def last(engine: Engine) -> tuple[QueryOutcome, ...]:
    """Latest outcome of each query ever run whose document still exists, by title and query; empty
    before the first run.
    """
    documents = {one.id: one for one in _documents(engine)}
    found = []
    for name, rank in _stored_ranks(engine.notes).items():
        document_id, _, query = name.partition(" ")
        if document_id in documents:
            one = documents[document_id]
            found.append(QueryOutcome(one.title, one.source, query, rank))
    return tuple(sorted(found, key=lambda one: (one.title, one.source, one.query)))


def cases(engine: Engine, queries: int) -> list[Case]:
    """Known items: one of every document, then another one of each, and so on.

    Alternates between document types; within a type, documents are in order of their ids, which are
    hashes: as good as random, and reproducible.
    """
    types: dict[str, list[DocumentSummary]] = {}
    for document in sorted(_documents(engine), key=lambda one: one.id):
        types.setdefault(_type(document), []).append(document)
    documents = _round_robin([types[name] for name in sorted(types)])[:queries]
    of_each = -(-queries // max(len(documents), 1))
    return _round_robin(
        [_of_document(engine.reader, one, of_each, n) for n, one in enumerate(documents)]
    )


def _documents(engine: Engine) -> list[DocumentSummary]:
    return engine.catalogue.documents(Filter(), order="source", offset=0, limit=None)


def _of_document(reader: Reader, document: DocumentSummary, most: int, number: int) -> list[Case]:
    """Up to ``most`` items of a document; ``number`` rotates the kind of the first one."""
    passages = sorted(reader.passages_of(document.id), key=lambda one: one.id)
    headings = dict.fromkeys(heading for one in passages for heading in one.headings)
    named = [
        [
            Case(document, " ".join(synthetic_queries.words(text)), text, in_passage=False)
            for text in texts
            if len(synthetic_queries.content_words(text)) >= _FEWEST_WORDS
        ]
        for texts in ([document.title], headings)
    ]
    counts = Counter(word.lower() for one in passages for word in synthetic_queries.words(one.text))
    sentences = filter(None, (_rarest(one, counts) for one in passages))
    quoted = [
        Case(document, synthetic_queries.rarest(text, counts), text, in_passage=True)
        for text in islice(sentences, most)
    ]
    kinds = [*named, quoted]
    first = number % len(kinds)
    different: dict[str, Case] = {}  # the title is often the first heading, too
    for case in _round_robin([*kinds[first:], *kinds[:first]]):
        different.setdefault(case.query, case)
    return list(different.values())[:most]


def _round_robin(lists: Sequence[Sequence[T]]) -> list[T]:
    """The first of each list, then the second of each, and so on."""
    return [one for turn in zip_longest(*lists) for one in turn if one is not None]


def _rarest(passage: Passage, counts: Mapping[str, int]) -> str | None:
    """The sentence of a passage with the words that are rarest in its document."""
    texts = passage.sentence_texts()[passage.leading :]
    usable = list(filter(synthetic_queries.is_usable, texts))
    return min(usable, key=lambda text: (_commonness(text, counts), text), default=None)


def _commonness(text: str, counts: Mapping[str, int]) -> float:
    words = synthetic_queries.content_words(text)
    return sum(counts[word.lower()] for word in words) / len(words)


def _type(document: DocumentSummary) -> str:
    return Path(document.source).suffix.lower() or "no ending"


def _figures(
    type_: str, names: Sequence[str], ranks: Mapping[str, int], before: Mapping[str, int]
) -> Findability:
    shared = [name for name in names if name in before]
    return Findability(
        type=type_,
        queries=len(names),
        recall=_recall([ranks[name] for name in names]),
        mrr=_mrr([ranks[name] for name in names]),
        compared=len(shared),
        recall_before=_recall([before[name] for name in shared]),
        mrr_before=_mrr([before[name] for name in shared]),
    )


def _recall(ranks: Sequence[int]) -> float:
    return sum(rank > 0 for rank in ranks) / max(len(ranks), 1)


def _mrr(ranks: Sequence[int]) -> float:
    return sum(1.0 / rank for rank in ranks if rank) / max(len(ranks), 1)


def _lost_document(case: Case) -> LostDocument:
    return LostDocument(case.document.title, case.document.source, case.query)


def _existing(ranks: Mapping[str, int], reader: Reader) -> dict[str, int]:
    """Ranks from all earlier runs for documents still in the library."""
    return {
        name: rank for name, rank in ranks.items() if reader.has_document(name.partition(" ")[0])
    }


def _stored_ranks(notes: Notes) -> dict[str, int]:
    """Latest rank of each item, 0 if it was not found; whatever else is in the note, which may be
    damaged or imported, is left out.
    """
    with suppress(ValueError, RecursionError):
        found = json.loads(notes.note(NAME) or "{}")
        if isinstance(found, dict):
            return {
                name: rank
                for name, rank in found.items()
                if _is_rank(rank) and printable(name) == name
            }
    return {}


def _is_rank(value: object) -> bool:
    return type(value) is int and 0 <= value <= DEPTH
