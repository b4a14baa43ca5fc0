"""Export of failed queries for inspection."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rag.evaluation.labelled_sets import Question
from rag.evaluation.relevance import Judged
from rag.runtime.files import write_atomically
from rag.types import Hit

HITS = 3
"""Hits that are written per query."""


def write_losses(judged: Sequence[Judged], path: Path) -> int:
    """Write one line of JSON per failed query, worst first; returns their number.

    A query has failed if its first hit is not relevant, or if the sentence highlighted there does
    not contain the answer. Each line has the question and its filter, the expected answer, the rank
    of the first relevant hit (or null), and the first hits.
    """
    lost = [one for one in judged if one.rank != 1 or one.marked is False]
    lost.sort(key=lambda one: (one.rank is not None, -(one.rank or 0)))
    lines = [json.dumps(_loss(one), ensure_ascii=False) + "\n" for one in lost]
    write_atomically(path, "".join(lines).encode())
    return len(lost)


def _loss(judged: Judged) -> dict[str, object]:
    question = judged.answered.question
    return {
        "id": question.id,
        "question": question.text,
        "filter": dict(question.conditions.where),
        "expected": _expected(question),
        "rank": judged.rank,
        "answer_marked": judged.marked,
        "hits": [_hit(hit) for hit in judged.answered.hits[:HITS]],
    }


def _expected(question: Question) -> dict[str, object]:
    expected: dict[str, object] = {}
    if question.documents:
        expected["documents"] = [name for name, gain in question.documents.items() if gain > 0]
    if question.spans:
        expected["answers"] = [
            {"document": one.document, "start": one.span.start, "end": one.span.end}
            | {"text": one.text}
            for one in question.spans
        ]
    if question.expected is not None:
        expected["text"] = question.expected
    return expected


def _hit(hit: Hit) -> dict[str, object]:
    return {
        "score": round(hit.score, 4),
        "title": hit.title,
        "source": hit.source,
        "marked": hit.answer.text,
        "text": hit.text,
    }
