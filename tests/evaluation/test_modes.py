"""Names of modes, and settings that follow them."""

from __future__ import annotations

import pytest

from rag import InputError
from rag.evaluation.modes import parse_mode
from rag.search.scoring import DEFAULT, Ranking


def test_hybrid_is_what_a_library_does() -> None:
    """The default of the command is the default of the library."""
    mode = parse_mode("hybrid")
    assert (mode.settings, mode.reranks) == (DEFAULT, False)


def test_settings_follow() -> None:
    """Each of its own type."""
    mode = parse_mode("hybrid, tokens_weight=0.5, reordered=80, whole_passages=true")
    assert mode.settings == Ranking(tokens_weight=0.5, reordered=80, whole_passages=True)
    assert mode.name == "hybrid,tokens_weight=0.5,reordered=80,whole_passages=true"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("best", "there is no mode best; there are dense, late, words, fusion, hybrid, rerank"),
        ("hybrid,weight=1", "there is no setting weight; there are meaning_weight"),
        ("hybrid,reordered", "reordered is a number, not nothing"),
        ("hybrid,reordered=2.5", r"reordered is a number, not 2\.5"),
        ("hybrid,whole_passages=yes", "whole_passages is true or false, not yes"),
        ("hybrid,tokens_weight=2", "tokens_weight is a share"),
    ],
)
def test_what_cannot_be(text: str, reason: str) -> None:
    """The message says what there is."""
    with pytest.raises(InputError, match=reason):
        parse_mode(text)
