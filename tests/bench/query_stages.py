"""Where the time of a question goes, alone and with eight clients.

::

    python tests/bench/query_stages.py SET LIBRARY [--questions N] [--clients N]

Asks the questions of the set of an existing library; ``growth.py`` makes one of 100,000 passages.
The stages are timed where one module calls the next: encoding, the vector index, the word index,
reading the store, late interaction. What a large library asks the word index in a thread of its own
counts as waiting, under “all else”.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from quality import circumstances

from rag import Library
from rag.evaluation.beir import read_beir
from rag.models.embedder import SentenceTransformerEmbedder
from rag.runtime.threads import limit_blas_to_one_thread, shorten_switch_interval
from rag.search import late_interaction, pipeline

WARM = 20
WHOLE = "all"

_spent = threading.local()


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, metavar="SET")
    parser.add_argument("library", type=Path, metavar="LIBRARY")
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--clients", type=int, default=8)
    arguments = parser.parse_args()
    questions = [one.text for one in read_beir(arguments.data).questions[: arguments.questions]]
    limit_blas_to_one_thread()  # as the command does
    shorten_switch_interval()
    embedder = Timed(SentenceTransformerEmbedder(), "encoding", ("query",))
    with (
        Library.open(arguments.library, create=False, embedder=embedder) as library,
        watched(library),
    ):
        for question in questions[:WARM]:
            ask(library, question)
        print("| clients | searches a second | stage | median, ms | 99 %, ms |")
        print("|---:|---:|---|---:|---:|")
        for clients in (1, arguments.clients):
            show(library, questions, clients)
    print(f"\n{circumstances()}")


def show(library: Library, questions: Sequence[str], clients: int) -> None:
    """Let so many threads ask, and print a row for each stage."""
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        times = list(pool.map(lambda question: ask(library, question), questions))
    rate = len(questions) / (time.perf_counter() - began)
    for stage in dict.fromkeys(stage for one in times for stage in one):
        median, late = np.percentile([1000 * one[stage] for one in times], [50, 99])
        print(f"| {clients} | {rate:.1f} | {stage} | {median:.1f} | {late:.1f} |")


def ask(library: Library, question: str) -> Counter[str]:
    """Seconds of each stage of one question."""
    spent = _spent.counter = Counter()
    began = time.perf_counter()
    library.ask(question)
    whole = time.perf_counter() - began
    return Counter({WHOLE: whole, **spent, "all else": whole - spent.total()})


class Timed:
    """Another object, the time in whose methods is counted for a stage."""

    def __init__(self, inner: object, stage: str, methods: Sequence[str]) -> None:
        self._inner, self._stage, self._methods = inner, stage, methods

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self._inner)

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        if name not in self._methods:
            return found

        def timed(*args: object, **kwargs: object) -> object:
            began = time.perf_counter()
            try:
                return found(*args, **kwargs)
            finally:
                if (spent := getattr(_spent, "counter", None)) is not None:
                    spent[self._stage] += time.perf_counter() - began

        return timed


@contextmanager
def watched(library: Library) -> Iterator[None]:
    """Time the library's indexes, its store and the late interaction."""
    current = library.engine.snapshots.current

    def snapshot() -> object:
        found = current()
        words = ("search", "score", "respellings", "matched")
        return replace(
            found,
            vectors=Timed(found.vectors, "vectors", ("search",)),
            words=Timed(found.words, "words", words),
        )

    store = Timed(library.engine.reader, "store", ("sentences", "vectors", "tokens", "passages"))
    scoring = ("match_tokens", "passage_scores", "sentence_scores")
    late = Timed(late_interaction, "late interaction", scoring)
    with (
        patch.object(library.engine.snapshots, "current", snapshot),
        patch.object(library.engine, "reader", store),
        patch.object(pipeline, "late_interaction", late),
    ):
        yield


if __name__ == "__main__":
    main()
