"""How well the right passage is found, on sets with known answer spans. Run by hand:

    python tests/bench/quality.py ../shared/data/squad_dev
    python tests/bench/quality.py ../shared/data/chroma_chunking

Reads a folder in the layout of BEIR (``corpus.jsonl.gz``, ``queries.jsonl``) whose questions
carry ``answer_spans``. Every document becomes a text file of its own, goes through
``Library.index`` with default settings, and every question through ``Library.search``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
import time
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from statistics import fmean, median
from typing import Any

from rag import Hit, Library

TOP = 10


def main() -> None:
    """Measure one set and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("set", type=Path)
    parser.add_argument("--questions", type=int, help="only the first so many")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(arguments.set, Path(folder), arguments.questions)


def measure(data: Path, folder: Path, most: int | None) -> None:
    """Index the set's documents in ``folder``, ask its questions, and print the figures."""
    originals = write_documents(data, folder / "articles")
    questions = [json.loads(line) for line in (data / "queries.jsonl").open(encoding="utf-8")]
    questions = questions[:most]
    with Library.open(folder / "library") as library:
        first = library.index(folder / "articles")
        again = library.index(folder / "articles")
        print(f"{data.name}: {library.status()}")
        print(f"index {first.seconds:.1f} s, {first.embedded} passages embedded")
        print(f"again {again.seconds:.3f} s, {again.embedded} passages embedded")
        places = Places(library, originals)
        answers = [asked(library, places, question) for question in questions]
    print(f"questions                             {len(answers)}")
    print(f"MRR@{TOP} (a gold span in the hit)        {fmean(a.reciprocal for a in answers):.4f}")
    print(f"gold span in the first hit            {fmean(a.reciprocal == 1 for a in answers):.4f}")
    print(f"gold span in first marked sentence    {fmean(a.marked for a in answers):.4f}")
    print(f"all gold spans within first five hits {fmean(a.all_in_five for a in answers):.4f}")
    print(f"median seconds a question             {median(a.seconds for a in answers):.4f}")


def write_documents(data: Path, folder: Path) -> dict[str, tuple[str, str]]:
    """Write each document of a set to a file; gives id and text by the file's path."""
    folder.mkdir()
    written = {}
    with gzip.open(data / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            document = json.loads(line)
            path = folder / f"{number:05}.txt"
            path.write_bytes(document["text"].encode())
            written[str(path)] = (document["_id"], document["text"])
    return written


@dataclass(frozen=True)
class Answered:
    """What came of one question."""

    reciprocal: float
    marked: bool
    all_in_five: bool
    seconds: float


def asked(library: Library, places: Places, question: dict[str, Any]) -> Answered:
    """Ask one question and compare the hits with its gold spans."""
    began = time.perf_counter()
    hits = library.search(question["text"], TOP)
    seconds = time.perf_counter() - began
    gold = [places.gold(span) for span in question["metadata"]["answer_spans"]]
    found = [places.hit(hit, hit.start, hit.end) for hit in hits]
    answer = places.hit(hits[0], hits[0].answer.start, hits[0].answer.end)
    ranks = [
        rank for rank, one in enumerate(found, start=1) if any(one.holds(span) for span in gold)
    ]
    return Answered(
        reciprocal=1 / ranks[0] if ranks else 0.0,
        marked=any(answer.holds(span) for span in gold),
        all_in_five=all(any(one.holds(span) for one in found[:5]) for span in gold),
        seconds=seconds,
    )


@dataclass(frozen=True)
class Place:
    """A stretch of a document, counted in characters that are no blanks."""

    document: str
    start: int
    end: int

    def holds(self, other: Place) -> bool:
        """Whether the other stretch lies in this one."""
        inside = self.start <= other.start and other.end <= self.end
        return self.document == other.document and inside


class Places:
    """Offsets of a set's texts and of the library's made comparable.

    Loading tidies blanks up, so both are counted in characters that are none.
    """

    def __init__(self, library: Library, originals: dict[str, tuple[str, str]]) -> None:
        self._library = library
        self._originals = originals
        self._by_id = dict(originals.values())
        self._counts: dict[str, list[int]] = {}

    def gold(self, span: dict[str, Any]) -> Place:
        """Where a gold span lies."""
        return self._place(span["doc_id"], self._by_id[span["doc_id"]], span["start"], span["end"])

    def hit(self, hit: Hit, start: int, end: int) -> Place:
        """Where a part of a hit's document lies."""
        text = self._library.document(hit.document_id).text
        return self._place(self._originals[hit.source][0], text, start, end)

    def _place(self, name: str, text: str, start: int, end: int) -> Place:
        if text not in self._counts:
            self._counts[text] = [0, *accumulate(not one.isspace() for one in text)]
        counts = self._counts[text]
        return Place(name, counts[start], counts[end])


if __name__ == "__main__":
    main()
