"""Where the time of a question goes: alone, with eight clients, and while the library indexes.

::

    python tests/bench/query_stages.py SET LIBRARY [--questions N] [--clients N]

Asks the questions of the set of a library that is there; ``growth.py`` makes one of 100,000
passages. The stages are timed where one module calls the next: encoding of the question, the
vector index, the word index, reading the store, late interaction, what is drawn for the page. What
a large library asks the word index in a thread of its own counts as waiting, under all else.

The clients ask without a pause, twice: once as it is, where questions that arrive together share a
pass of the model (``rag/models/micro_batch.py``), and once with a pass for each question, begun at
once. For both there are questions a second, and how the 99th of a hundred waits beside the median.
The library is as before in the end, but for its generation.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from bench_texts import questions, written
from quality import circumstances

from rag import Library, Progress
from rag.models.embedder import SentenceTransformerEmbedder
from rag.models.micro_batch import MicroBatcher
from rag.runtime.threads import limit_blas_to_one_thread, shorten_switch_interval
from rag.search import late_interaction, pipeline
from ui.pages import answers

STAGES = ("encoding", "vectors", "words", "store", "late interaction", "rendering")
REST = "all else"
WARM = 20

Times = list[dict[str, float]]
"""Milliseconds of each stage of each question; ``all`` is the whole."""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, metavar="SET")
    parser.add_argument("library", type=Path, metavar="LIBRARY")
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--clients", type=int, default=8)
    arguments = parser.parse_args()
    asked = questions(arguments.data, arguments.questions)
    print(json.dumps(measured(arguments.library, asked, arguments.clients)), circumstances())


def measured(folder: Path, asked: Sequence[str], clients: int) -> dict[str, object]:
    """Quantiles of the stages alone and with clients, and of searches while it indexes."""
    limit_blas_to_one_thread()  # as the command does
    shorten_switch_interval()
    clock = Clock()
    model = SentenceTransformerEmbedder()
    embedder = Timed(model, "encoding", clock, ("query",))
    with Library.open(folder, create=False, embedder=embedder) as library, watched(library, clock):
        library.ask(asked[0])  # the model is loaded, and the confidence measured

        def ask(question: str) -> None:
            answer = library.ask(question)
            began = time.perf_counter()
            answers.results(question, answer)
            clock.add("rendering", began)

        clock.questions(asked[:WARM], ask)
        alone = clock.questions(asked, ask)
        shared, a_second = clock.together(asked, ask, clients)
        with each_by_itself(model, clients):
            apart, a_second_apart = clock.together(asked, ask, clients)
        # Searches of one client, quiet and while another thread indexes, one after the other.
        quiet = clock.questions(asked, ask)
        with indexing(library):
            busy = clock.questions(asked, ask)
        rest = [one["all"] - one["encoding"] for one in alone]
        return {
            "passages": library.status().passages,
            "alone_ms": quantiles(alone),
            f"{clients}_clients_ms": quantiles(shared),
            f"{clients}_clients_a_pass_each_ms": quantiles(apart),
            "questions_a_second": {"shared passes": a_second, "a pass each": a_second_apart},
            "p99_by_p50": {
                "shared passes": ratio(shared, 0.99, shared, 0.5),
                "a pass each": ratio(apart, 0.99, apart, 0.5),
            },
            "quiet_ms": quantiles(quiet),
            "indexing_ms": quantiles(busy),
            "p95_indexing_by_quiet": ratio(busy, 0.95, quiet, 0.95),
            "rest_by_encoding": float(
                np.median(rest) / np.median([one["encoding"] for one in alone])
            ),
        }


class Clock:
    """Adds up, for each thread, what its question has spent in each stage."""

    def __init__(self) -> None:
        self._own = threading.local()

    def add(self, stage: str, began: float) -> None:
        """Count the time since then, in seconds, for a stage."""
        spent = getattr(self._own, "spent", None)
        if spent is not None:
            spent[stage] += time.perf_counter() - began

    def questions(self, asked: Sequence[str], ask: Callable[[str], None]) -> Times:
        """Ask one question after the other."""
        times = []
        for question in asked:
            self._own.spent = Counter()
            began = time.perf_counter()
            ask(question)
            self.add("all", began)
            spent = {name: 1000 * self._own.spent[name] for name in ("all", *STAGES)}
            times.append(spent | {REST: spent["all"] - sum(spent[one] for one in STAGES)})
        return times

    def together(
        self, asked: Sequence[str], ask: Callable[[str], None], clients: int
    ) -> tuple[Times, float]:
        """Let so many threads ask, each its part of the questions; and how many a second."""
        times: Times = []
        threads = [
            threading.Thread(
                target=lambda some: times.extend(self.questions(some, ask)),
                args=(asked[number::clients],),
            )
            for number in range(clients)
        ]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
        assert len(times) == len(asked)
        return times, len(asked) / seconds


class Timed:
    """Another object, the time in whose methods is counted for a stage."""

    def __init__(self, inner: object, stage: str, clock: Clock, methods: Sequence[str]) -> None:
        self._inner, self._stage, self._clock, self._methods = inner, stage, clock, methods

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
                self._clock.add(self._stage, began)

        return timed


@contextmanager
def watched(library: Library, clock: Clock) -> Iterator[None]:
    """Have the time in the library's indexes, its store and the late interaction counted."""
    current = library._engine.snapshots.current
    methods = ("search", "score", "respellings", "matched", "count")

    def snapshot() -> object:
        found = current()
        return replace(
            found,
            vectors=Timed(found.vectors, "vectors", clock, methods),
            words=Timed(found.words, "words", clock, methods),
        )

    store = Timed(library._reader, "store", clock, ("sentences", "vectors", "tokens", "passages"))
    scoring = ("match_tokens", "passage_scores", "sentence_scores")
    late = Timed(late_interaction, "late interaction", clock, scoring)
    with (
        patch.object(library._engine.snapshots, "current", snapshot),
        patch.object(library._engine, "reader", store),
        patch.object(pipeline, "late_interaction", late),
    ):
        yield


@contextmanager
def each_by_itself(model: SentenceTransformerEmbedder, clients: int) -> Iterator[None]:
    """Let no question wait for another: each goes through the model at once, by itself."""
    alone = MicroBatcher(model._run_questions, most=1, at_once=clients)
    with patch.object(model, "_asked", alone):
        yield


@contextmanager
def indexing(library: Library) -> Iterator[None]:
    """Index texts that nobody has, as fast as it goes, until the block ends."""
    over, begun = threading.Event(), threading.Event()

    class OverError(Exception):
        pass

    def on_progress(step: Progress) -> None:
        if step.embedded:
            begun.set()
        if over.is_set():
            raise OverError

    def index(folder: Path) -> None:
        try:
            library.index(folder, progress=on_progress)
        except OverError:
            return
        raise AssertionError("all was indexed before the questions were asked")

    with tempfile.TemporaryDirectory() as temporary:
        texts = {
            str(n): " ".join(f"Word{n}x{i} lies in box {i * n % 97}." for i in range(120))
            for n in range(5_000)
        }
        folder = written(texts, Path(temporary) / "new")
        thread = threading.Thread(target=index, args=(folder,))
        thread.start()
        try:
            assert begun.wait(600), "nothing was indexed in ten minutes"
            yield
        finally:
            over.set()
            thread.join()
            library.remove([folder])


def quantiles(times: Times) -> dict[str, dict[str, float]]:
    """The median, and what 95 and 99 of a hundred stay below, of each stage."""
    return {
        stage: {
            f"p{share}": round(float(np.percentile([one[stage] for one in times], share)), 2)
            for share in (50, 95, 99)
        }
        for stage in times[0]
    }


def table(found: dict[str, object]) -> str:
    """A row for each stage, and one for the whole."""
    columns = [name for name in found if name.endswith("_ms")]
    lines = [
        " | ".join(["| milliseconds", *(f"{name[:-3]} p50 | p99" for name in columns)]) + " |",
        "|---" + "|---:" * 2 * len(columns) + "|",
    ]
    for stage in found["alone_ms"]:
        cells = [f"{found[name][stage][share]:.1f}" for name in columns for share in ("p50", "p99")]
        lines.append(" | ".join([f"| {stage}", *cells]) + " |")
    return "\n".join(lines)


def ratio(above: Times, share: float, below: Times, other: float) -> float:
    """A quantile of the whole by another one."""
    high, low = ([one["all"] for one in times] for times in (above, below))
    return float(np.quantile(high, share) / np.quantile(low, other))


if __name__ == "__main__":
    main()
