"""Ranking modes that can be compared with each other, by name."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from rag.errors import InputError
from rag.search.scoring import DEFAULT, Ranking

RERANK = "rerank"

MODES = {
    # Deep, because the index holds sentences: enough of them to include the best passages.
    "dense": Ranking(
        meaning_weight=1.0,
        tokens_weight=0.0,
        whole_passages=True,
        passages_proposed=1_000,
        sentences_proposed=5_000,
    ),
    "late": Ranking(meaning_weight=1.0, tokens_weight=0.0),
    "words": Ranking(meaning_weight=0.0, tokens_weight=0.0),
    "fusion": Ranking(tokens_weight=0.0),
    "hybrid": DEFAULT,
    RERANK: DEFAULT,
}
"""Dense: one vector per passage. Late: the best sentence's vector. Words: BM25. Fusion: these last
two. Hybrid, the default: fusion reranked by late interaction. Rerank: with a cross-encoder on top.
"""


@dataclass(frozen=True, slots=True)
class Mode:
    """A ranking mode: its ``name`` as requested, and whether a cross-encoder reranks."""

    name: str
    settings: Ranking
    reranks: bool


def parse_mode(text: str) -> Mode:
    """Parse a mode with optional overrides: ``hybrid,tokens_weight=0.5``.

    Raises
    ------
    InputError
        If there is no such mode or setting, or its value is invalid.
    """
    name, *changes = (part.strip() for part in text.split(","))
    if name not in MODES:
        raise InputError(f"there is no mode {name}; there are {', '.join(MODES)}")
    settings = MODES[name]
    for change in changes:
        settings = _changed(settings, change)
    return Mode(",".join([name, *changes]), settings, reranks=name == RERANK)


def _changed(settings: Ranking, change: str) -> Ranking:
    name, _, value = (part.strip() for part in change.partition("="))
    kinds = {one.name: type(getattr(DEFAULT, one.name)) for one in dataclasses.fields(Ranking)}
    if name not in kinds:
        raise InputError(f"there is no setting {name}; there are {', '.join(kinds)}")
    if kinds[name] is bool:
        if value not in {"true", "false"}:
            raise InputError(f"{name} is true or false, not {value or 'nothing'}")
        return dataclasses.replace(settings, **{name: value == "true"})
    try:
        return dataclasses.replace(settings, **{name: kinds[name](value)})
    except ValueError as error:
        raise InputError(f"{name} is a number, not {value or 'nothing'}") from error
