"""Which documents are in languages that the model was not trained on. Pure."""

from __future__ import annotations

from collections.abc import Mapping

NOTABLE = 0.05
"""The share of a library's documents from which on it is worth a word."""


def untrained(documents: Mapping[str, int], trained: frozenset[str]) -> dict[str, int]:
    """Documents in languages that a model was not trained on, where they are a notable share.

    Parameters
    ----------
    documents
        How many there are in each language, by ISO code; ``""`` counts those whose language is
        not known.
    trained
        The languages of the model; none where they are not known, and then nothing is said.

    Returns
    -------
    dict of str to int
        By language, the most frequent first.
    """
    foreign = {one: count for one, count in documents.items() if one and one not in trained}
    if not trained or sum(foreign.values()) < NOTABLE * sum(documents.values()):
        return {}
    return dict(sorted(foreign.items(), key=lambda item: (-item[1], item[0])))
