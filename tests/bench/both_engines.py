"""The same questions of a library in a folder and of a shared one: are the answers the same?

::

    PYTHONPATH=tests/support python tests/bench/both_engines.py SET FOLDER
        [--questions N] [--compressed] [--local]

Indexes the documents of the set twice, into ``FOLDER/embedded`` and into a shared library on an S3
server that is started for it (with ``--local`` into files in ``FOLDER/shared``, without a server).
``--compressed`` keeps the shared one's vectors as a large library would, in lists and a bit a
dimension. Prints for how many questions the first five hits are the same, the MRR@10 of both, how
long a search takes, the processor's time in this process, and how often and how much it reads from
the storage.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import object_storage
from quality import circumstances

from rag import Hit, Library
from rag.cluster.lance import indexes
from rag.evaluation import corpus
from rag.evaluation.beir import read_beir
from rag.evaluation.labelled_sets import Question, spread
from rag.evaluation.relevance import passage
from rag.evaluation.spans import SpanJudge
from rag.models.embedder import SentenceTransformerEmbedder
from rag.runtime.threads import limit_blas_to_one_thread

DEPTH = 10
SHOWN = 5


def main() -> None:
    """Index, ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, metavar="SET")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--questions", type=int, default=None)
    parser.add_argument("--compressed", action="store_true")
    parser.add_argument("--local", action="store_true")
    arguments = parser.parse_args()
    limit_blas_to_one_thread()  # as the command does
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.compressed:
        indexes.EXACT = 0
    with _place(arguments.folder, local=arguments.local) as url:
        found = compared(arguments.data, arguments.folder, url, arguments.questions)
    print(json.dumps(found | {"compressed": arguments.compressed}), circumstances())


@contextmanager
def _place(folder: Path, *, local: bool) -> Iterator[str]:
    if local:
        yield f"file://{folder.absolute()}/shared"
        return
    with object_storage.served(folder / "s3") as environment:
        os.environ.update(environment)
        yield f"s3://{object_storage.BUCKET}/squad"


def compared(data: Path, folder: Path, url: str, most: int | None) -> dict[str, object]:
    """Figures of both libraries, and how far they agree."""
    labelled = read_beir(data, None)
    questions = spread(labelled.questions, most)
    embedder = SentenceTransformerEmbedder()
    with (
        Library.open(folder / "embedded", embedder=embedder) as embedded,
        Library.open(url, embedder=embedder) as shared,
    ):
        documents = corpus.index(labelled.documents or (), embedded)
        shared.index(embedded.path / corpus.FOLDER)
        judge = SpanJudge(documents, embedded.document)
        both: list[list[list[Hit]]] = [[], []]
        times: list[list[float]] = [[], []]
        cores, reads = [0.0, 0.0], _reads(shared)
        for question in questions:  # in turn, so that whatever else the machine does hits both
            for n, library in enumerate((embedded, shared)):
                began, worked = time.perf_counter(), time.process_time()
                both[n].append(library.search(question.text, DEPTH))
                times[n].append(1000 * (time.perf_counter() - began))
                cores[n] += 1000 * (time.process_time() - worked)
        read = _reads(shared) - reads
        same = [_ids(hits) == _ids(others) for hits, others in zip(*both, strict=True)]
        return {
            "questions": len(questions),
            "passages": shared.status().passages,
            "first_five_same": round(sum(same) / len(same), 4),
            "largest_difference_of_scores": max(
                abs(one.score - other.score)
                for hits in zip(*both, strict=True)
                for one, other in zip(*hits, strict=False)
                if one.passage_id == other.passage_id
            ),
            "mrr": [round(_mrr(questions, hits, judge), 4) for hits in both],
            "median_ms": [round(float(np.median(one)), 1) for one in times],
            "cpu_ms": [round(one / len(questions), 1) for one in cores],
            "reads": round(float(read[0]) / len(questions), 1),
            "read_kb": round(float(read[1]) / len(questions) / 1000, 1),
        }


def _reads(shared: Library) -> np.ndarray:
    """How often this process has read from the storage, and how many bytes."""
    tables = shared.engine._tables
    stats = tables.passages.dataset.io_stats_snapshot()
    return np.array([stats.read_iops, stats.read_bytes])


def _ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.passage_id for hit in hits[:SHOWN]]


def _mrr(questions: Sequence[Question], found: Sequence[Sequence[Hit]], judge: SpanJudge) -> float:
    ranks = [
        next((hit.rank for hit in hits if judge.is_relevant(question, hit, passage(hit))), None)
        for question, hits in zip(questions, found, strict=True)
    ]
    return sum(1.0 / rank for rank in ranks if rank) / len(ranks)


if __name__ == "__main__":
    main()
