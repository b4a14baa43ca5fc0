"""Ways to rank that can be measured against each other, by name."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from rag.errors import InputError
from rag.search.scoring import DEFAULT, Ranking

RERANK = "rerank"

MODES = {
    # Deep, since the index holds sentences: among so many, the best passages are there.
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
"""One vector a passage; the best sentence's vector; BM25; these last two together; the default,
which re-orders that by the tokens; and a cross-encoder on top."""


@dataclass(frozen=True, slots=True)
class Mode:
    """A way to rank: its ``name`` as it was asked for, and whether a cross-encoder has the last
    word.
    """

    name: str
    settings: Ranking
    reranks: bool


def parse_mode(text: str) -> Mode:
    """Read a mode, and settings that differ from it: ``hybrid,tokens_weight=0.5``.

    Raises
    ------
    InputError
        If there is no such mode or setting, or its value can't be.
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
