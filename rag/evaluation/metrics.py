"""Measures of a ranking of documents. The only module that knows ir-measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

DEPTH = 100
"""Documents of a ranking that are looked at."""


def document_measures(
    gains: Mapping[str, Mapping[str, int]], rankings: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float]]:
    """Judge rankings of documents.

    Parameters
    ----------
    gains
        For each question the gain of each judged document, one of them above 0. A document that
        was not judged is of no use.
    rankings
        For each of those questions its documents, best first, each once; at most the first
        ``DEPTH`` count.

    Returns
    -------
    dict
        For each question its measures by name, all in [0, 1]: nDCG@10 (with the gain itself in
        the numerator, as trec_eval and BEIR have it), MRR@10, the recall at 1, 5, 10 and 100,
        and MAP.
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
    # Scores that fall with the rank: equal ones would be ordered by the names of documents.
    run = {
        question: {one: -float(rank) for rank, one in enumerate(ranking[:DEPTH])}
        for question, ranking in rankings.items()
    }
    # A question that found nothing is not in a run, and scores nothing.
    values = {question: dict.fromkeys(measures.values(), 0.0) for question in gains}
    judged = {question: dict(gains[question]) for question in gains}
    for found in ir_measures.iter_calc(list(measures), judged, run):
        values[found.query_id][measures[found.measure]] = float(found.value)
    return values
