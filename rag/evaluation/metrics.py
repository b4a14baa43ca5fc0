"""Ranking metrics for documents. The only module that knows ir-measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

DEPTH = 100
"""Cutoff of a ranking."""


def document_measures(
    gains: Mapping[str, Mapping[str, int]], rankings: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float]]:
    """Evaluate document rankings.

    Parameters
    ----------
    gains
        For each query the gain of each judged document, at least one of them positive. Unjudged
        documents count as not relevant.
    rankings
        For each of those queries its documents, best first, without duplicates; cut off at
        ``DEPTH``.

    Returns
    -------
    dict
        For each query its metrics by name, all in [0, 1]: nDCG@10 (with linear gain, as in
        trec_eval and BEIR), MRR@10, recall@1, @5, @10 and @100, and MAP.
    """
    import ir_measures
    from ir_measures import AP, RR, R, nDCG

    measures = {
        nDCG @ 10: "nDCG@10",
        RR @ 10: "MRR@10",
        R @ 1: "recall@1",
        R @ 5: "recall@5",
        R @ 10: "recall@10",
        R @ 100: "recall@100",
        AP: "MAP",
    }
    # Scores strictly decrease with rank: ties would be broken by document id.
    run = {
        question: {one: -float(rank) for rank, one in enumerate(ranking[:DEPTH])}
        for question, ranking in rankings.items()
    }
    # A query without results is absent from the run, and scores 0.
    values = {question: dict.fromkeys(measures.values(), 0.0) for question in gains}
    judged = {question: dict(gains[question]) for question in gains}
    for found in ir_measures.iter_calc(list(measures), judged, run):
        values[found.query_id][measures[found.measure]] = float(found.value)
    return values
