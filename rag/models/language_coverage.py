"""Find documents in languages the model was not trained on. Pure."""

from __future__ import annotations

from collections.abc import Mapping

NOTABLE = 0.05
"""Minimum share of a library's documents for a language to be reported."""


def untrained(documents: Mapping[str, int], trained: frozenset[str]) -> dict[str, int]:
    """Count documents in languages the model was not trained on, if their share is notable.

    Parameters
    ----------
    documents
        Number of documents by ISO language code; ``""`` counts those of unknown language.
    trained
        The model's training languages; if empty (unknown), nothing is reported.

    Returns
    -------
    dict of str to int
        Document counts by language, the most frequent first.
    """
    foreign = {one: count for one, count in documents.items() if one and one not in trained}
    if not trained or sum(foreign.values()) < NOTABLE * sum(documents.values()):
        return {}
    return dict(sorted(foreign.items(), key=lambda item: (-item[1], item[0])))
