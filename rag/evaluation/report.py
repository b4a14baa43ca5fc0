"""Evaluate a library on a labelled set: from the set to a report."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TypeAlias

import numpy as np

from rag.errors import InputError
from rag.evaluation import corpus
from rag.evaluation.labelled_sets import LabelledSet, Question, check_files
from rag.evaluation.metrics import DEPTH, Estimate, estimate
from rag.evaluation.relevance import Judge, Judged, TextJudge, judge, rated_set
from rag.evaluation.spans import SpanJudge
from rag.library.library import Library
from rag.models.cross_encoder import Reranker
from rag.runtime.files import write_atomically
from rag.types import Hit
from rag.types.protocols import Embedder

SHOWN = 10
"""Hits that a reader looks at."""

HITS_OF_FAILED = 3
"""Hits that are written per failed query."""

Search: TypeAlias = Callable[[Question, int], Sequence[Hit]]
"""Retrieves the best hits for a question, at most the given number."""


@dataclass(frozen=True, slots=True)
class EvaluatedLibrary:
    """A library that is ready for the queries of a set; ``judge`` decides which hits are
    relevant.
    """

    library: Library
    labelled: LabelledSet
    judge: Judge

    def search(self, question: Question, k: int) -> list[Hit]:
        """Retrieve the best ``k`` hits for a question, within its filter."""
        return self.library.search(question.text, k, where=question.where)


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an evaluation.

    ``metrics`` has every metric over the queries that are labelled for it, and ``seconds`` is the
    median latency of a search for ten hits.
    """

    set: str
    questions: int
    unlabelled: int
    documents: int
    passages: int
    model: str
    version: str
    metrics: Mapping[str, Estimate]
    seconds: float


@contextmanager
def open_library(
    labelled: LabelledSet | None,
    place: str | Path,
    *,
    progress: bool = False,
    embedder: Embedder | None = None,
    reranker: Reranker | None = None,
) -> Iterator[EvaluatedLibrary]:
    """Open the library for a set; if the set has documents, index them first.

    Parameters
    ----------
    labelled
        The set; None for the ratings of the library's users.
    place
        The folder of the library, or its URL. If the set has documents it must be a folder, new or
        already with that set, in which the documents are stored.
    progress
        Whether to show progress bars while indexing.
    embedder, reranker
        As for :meth:`rag.Library.open`.

    Raises
    ------
    InputError
        If there are other documents in the library, the set names files that it doesn't have, or
        there are no documents or no ratings in it.
    LibraryError
        If the library can't be used.
    """
    create = labelled is not None and labelled.documents is not None
    with Library.open(place, create=create, embedder=embedder, reranker=reranker) as library:
        by: Judge
        if labelled is not None and labelled.documents is not None:
            documents = corpus.index(labelled.documents, library, progress=progress)
            by = SpanJudge(documents, library.document, library.parts)
        elif not library.status().documents:
            raise InputError(
                f"the library in {library.engine.location} is empty; fill it first: rag index PATH"
            )
        elif labelled is None:
            labelled, by = rated_set(library.ratings(), library.engine.reader)
        else:
            check_files(labelled.questions, [one.source for one in library.report()])
            by = TextJudge(frozenset(file for one in labelled.questions for file in one.documents))
        # The first query loads the model, and publishes what a killed writer left.
        library.search(labelled.questions[0].text, 1)
        yield EvaluatedLibrary(library, labelled, by)


def evaluate(
    questions: Sequence[Question], evaluated: EvaluatedLibrary, search: Search | None = None
) -> Iterator[Judged]:
    """Run the queries one after the other, and judge what is found.

    Parameters
    ----------
    search
        The retrieval function, if it is not the library's own.

    Raises
    ------
    InputError
        If a query is invalid, for example because it consists of filters only; the error names it.
    """
    search = search or evaluated.search
    for question in questions:
        try:
            began = time.perf_counter()
            hits = search(question, SHOWN)
            seconds = time.perf_counter() - began
            # A search of its own, because a search for more hits has more candidates.
            deep = search(question, DEPTH) if question.documents else ()
        except InputError as error:
            raise InputError(f"question {question.id}, “{question.text}”: {error}") from error
        documents = dict.fromkeys(name for hit in deep for name in evaluated.judge.names(hit))
        yield judge(question, hits, tuple(documents), evaluated.judge, seconds)


def report(evaluated: EvaluatedLibrary, judged: Sequence[Judged]) -> Report:
    """Aggregate the judged queries, at least one."""
    status = evaluated.library.status()
    return Report(
        set=evaluated.labelled.name,
        questions=len(judged),
        unlabelled=evaluated.labelled.unlabelled,
        documents=status.documents,
        passages=status.passages,
        model=status.model,
        version=version("rag"),
        metrics=metrics_of(judged),
        seconds=median(one.seconds for one in judged),
    )


def metrics_of(judged: Sequence[Judged]) -> dict[str, Estimate]:
    """Every metric over the queries that are labelled for it."""
    names = dict.fromkeys(name for one in judged for name in one.values)
    return {
        name: estimate(np.array([one.values[name] for one in judged if name in one.values]))
        for name in names
    }


def write_failures(judged: Sequence[Judged], path: Path) -> int:
    """Write one line of JSON per failed query, worst first; returns their number.

    A query has failed if its first hit is not relevant, or if the sentence highlighted there does
    not contain the answer. Each line has the question and its filter, the expected answer, the rank
    of the first relevant hit (or null), and the first hits.
    """
    failed = [one for one in judged if one.rank != 1 or one.marked is False]
    failed.sort(key=lambda one: (one.rank is not None, -(one.rank or 0)))
    lines = [json.dumps(_failure(one), ensure_ascii=False) + "\n" for one in failed]
    write_atomically(path, "".join(lines).encode())
    return len(failed)


def _failure(judged: Judged) -> dict[str, object]:
    question = judged.question
    expected = {
        "documents": [name for name, gain in question.documents.items() if gain > 0],
        "answers": [
            {"document": one.document, **asdict(one.span), "text": one.text}
            for one in question.spans
        ],
        "text": question.expected,
    }
    return {
        "id": question.id,
        "question": question.text,
        "filter": dict(question.where),
        "expected": {name: value for name, value in expected.items() if value},
        "rank": judged.rank,
        "answer_marked": judged.marked,
        "hits": [
            {
                "score": round(hit.score, 4),
                "title": hit.title,
                "source": hit.source,
                "marked": hit.answer.text,
                "text": hit.text,
            }
            for hit in judged.hits[:HITS_OF_FAILED]
        ],
    }
