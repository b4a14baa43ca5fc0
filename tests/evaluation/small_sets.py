"""Labelled sets of a few documents, written to files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

WHALES = "Blue whales sing at twenty hertz. Their songs carry for a thousand miles."
BREAD = "Bake the sourdough bread for forty minutes. Let it rest on a rack."
TANKS = "The turret of the tank comes from Ghent. It weighs three tons."

DOCUMENTS = [
    {"_id": "whales", "title": "Whales", "text": WHALES, "metadata": {"year": 1998}},
    {"_id": "bread", "title": "Bread", "text": BREAD, "metadata": {"year": 2004}},
    {"_id": "tanks", "title": "Tanks", "text": TANKS, "metadata": {"year": 2004}},
]


def span(document: str, answer: str) -> dict[str, object]:
    """The answer's first place in one of these documents."""
    (text,) = [str(one["text"]) for one in DOCUMENTS if one["_id"] == document]
    start = text.index(answer)
    return {"doc_id": document, "start": start, "end": start + len(answer)}


QUESTIONS = [
    {
        "_id": "q1",
        "text": "How far do the songs of whales carry?",
        "metadata": {"answer_spans": [span("whales", "a thousand miles")]},
    },
    {
        "_id": "q2",
        "text": "How long is sourdough bread baked?",
        "metadata": {"answer_spans": [span("bread", "forty minutes")], "filter": {"year": 2004}},
    },
    {
        "_id": "q3",
        "text": "Where does the turret come from?",
        "metadata": {"answer_spans": [span("tanks", "Ghent")]},
    },
]
JUDGEMENTS = ["q1\twhales\t1", "q2\tbread\t1", "q3\ttanks\t1"]


def lines(path: Path, records: Sequence[Mapping[str, object]]) -> None:
    """Write JSON Lines, packed where the name says so."""
    data = "".join(json.dumps(record) + "\n" for record in records).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_set(
    folder: Path,
    documents: Sequence[Mapping[str, object]] = DOCUMENTS,
    questions: Sequence[Mapping[str, object]] = QUESTIONS,
    judgements: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Write a set in the layout of BEIR; ``judgements`` has the lines of each split."""
    folder.mkdir(parents=True)
    lines(folder / "corpus.jsonl.gz", documents)
    lines(folder / "queries.jsonl", questions)
    (folder / "qrels").mkdir()
    for split, rows in (judgements or {"test": JUDGEMENTS}).items():
        text = "\n".join(["query-id\tcorpus-id\tscore", *rows]) + "\n"
        (folder / "qrels" / f"{split}.tsv").write_text(text)
    return folder
