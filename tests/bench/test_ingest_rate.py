"""How rates of several rounds become one figure, worked by hand."""

from __future__ import annotations

import pytest
from ingest_rate import summary


def test_ratios_are_taken_within_a_round() -> None:
    """The second round found everyone but the fast one twice as quick.

    The fast one lets a tenth of the tokens pass by, so it is not the one to be measured against.
    """
    found = summary(
        {
            "rag": [row(10.0, 1.0), row(5.0, 1.0)],
            "whole": [row(20.0, 1.0), row(5.0, 1.0)],
            "fast": [row(8.0, 0.9), row(8.0, 0.9)],
        },
        characters=1_000,
    )
    systems = found["systems"]
    assert systems["rag"]["characters_per_second"] == [100.0, 150.0, 200.0]
    assert systems["whole"]["rag_is_times_as_fast"] == [1.0, 1.5, 2.0]
    assert systems["fast"]["rag_is_times_as_fast"] == pytest.approx([0.8, 1.2, 1.6])
    assert found["times_the_fastest_that_embeds_all"] == [1.0, 1.5, 2.0]


def row(seconds: float, share: float) -> dict[str, float]:
    """What one run says of itself."""
    return {"seconds": seconds, "share": share, "chunks": 7}
