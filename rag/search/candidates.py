"""Question → candidates: the passages that the words find and those whose vectors are near, each
with what is known of it before its tokens are looked at.

What the words find needs no model. In a large library it is looked up, and read from the store,
while the model reads the question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.index.engine import Searcher
from rag.index.sqlite import StoredTokens
from rag.search import background_call, scoring
from rag.search.scoring import Ranking, Signals
from rag.types import QueryEncoding, Respelling
from rag.types.arrays import Keys, Scores, Vectors

T = TypeVar("T")

MANY = 50_000
"""Passages from which on the word index is asked beside the model and the store. Fewer would be
answered more slowly for it, since Python's threads take turns."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One question, and what it is asked of: all that may be found.

    ``question`` is what was asked without its conditions, and with other words ``instead`` of
    those that no document has.
    """

    question: str
    instead: tuple[Respelling, ...]
    encoding: QueryEncoding
    settings: Ranking
    library: Searcher


@dataclass(frozen=True, slots=True, eq=False)
class Worded:
    """What the words found, best first, with their scores; and what was read of it beside the
    model: all their sentences (see :meth:`rag.index.engine.Searcher.sentences`), and the tokens of
    the best. None and nothing where reading waits until the model is through.
    """

    ranked: dict[int, float]
    sentences: tuple[Keys, NDArray[np.int64], Vectors] | None
    tokens: Mapping[int, StoredTokens]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Proposed passages, each with all its true signals, whoever proposed it.

    The ranks are by key; a passage has none in an index that did not propose it. ``tokens`` are
    those that were read already.
    """

    keys: Keys
    signals: Signals
    meaning_ranks: dict[int, int]
    words_ranks: dict[int, int]
    tokens: Mapping[int, StoredTokens]


def by_words(question: str, settings: Ranking, library: Searcher) -> Callable[[], Worded]:
    """Begin to ask for what the question's words find; returns what waits for it and gives it.

    In a large library that goes on while the model reads the question: encode it in between.
    """
    return _begun(lambda: _worded(question, settings, library), library)


def candidates(asked: Asked, worded: Worded) -> Candidates:
    """What the vectors propose, and what the words did."""
    proposed = _nearest(asked)
    others = [key for key in proposed if key not in worded.ranked]
    # While the store is read, which waits for the disk.
    looked_up = _begun(
        lambda: asked.library.word_scores(asked.question, others).tolist(), asked.library
    )
    found, meaning = _meaning(asked, others, worded)
    near = _truly_nearest(asked, proposed, found, meaning)
    wanted = {*near, *worded.ranked}
    kept = np.array([key in wanted for key in found.tolist()], dtype=bool)
    keys = found[kept]
    words = worded.ranked | dict(zip(others, looked_up(), strict=True))
    return Candidates(
        keys=keys,
        signals=Signals(
            meaning=meaning[kept], words=np.array([words[key] for key in keys.tolist()])
        ),
        meaning_ranks={key: rank for rank, key in enumerate(near, start=1)},
        words_ranks={key: rank for rank, key in enumerate(worded.ranked, start=1)},
        tokens=worded.tokens,
    )


def _begun(call: Callable[[], T], library: Searcher) -> Callable[[], T]:
    """Begin a call that asks the word index, in another thread where there is enough to ask; in a
    smaller library it has ended when this returns.
    """
    if len(library) >= MANY:
        return background_call.begun(call)
    result = call()
    return lambda: result


def _worded(question: str, settings: Ranking, library: Searcher) -> Worded:
    """What the question's words find."""
    count = settings.passages_proposed if settings.meaning_weight < 1.0 else 0
    keys, scores = library.worded(question, count)
    ranked = dict(zip(keys.tolist(), scores.tolist(), strict=True))
    if len(library) < MANY:
        return Worded(ranked, None, {})
    best = [*ranked][: settings.reordered]
    return Worded(ranked, library.sentences([*ranked]), library.tokens(best))


def _nearest(asked: Asked) -> list[int]:
    """The passages of the sentences whose vectors are nearest, best first.

    Where the index only guesses how near, they are up to twice as many: the store is asked for
    their vectors.
    """
    if asked.settings.meaning_weight == 0.0:
        return []
    nearest = asked.library.nearest(asked.encoding.vector, asked.settings.sentences_proposed)
    keys: list[int] = nearest.tolist()
    return keys[: asked.settings.passages_proposed * (1 if asked.library.exact else 2)]


def _truly_nearest(asked: Asked, proposed: list[int], found: Keys, meaning: Scores) -> list[int]:
    """The nearest of what was proposed, by what the store knows of them."""
    cosines = dict(zip(found.tolist(), meaning.tolist(), strict=True))
    there = [key for key in proposed if key in cosines]
    return sorted(there, key=lambda key: -cosines[key])[: asked.settings.passages_proposed]


def _meaning(asked: Asked, others: Sequence[int], worded: Worded) -> tuple[Keys, Scores]:
    """The cosine of each passage with the question, none below 0, and the keys they belong to:
    of what the words found, and of ``others``.

    A passage may have gone since the snapshot; what the store no longer has is left out.
    """
    keys = [*worded.ranked, *others]
    if asked.settings.whole_passages:
        return _meaning_of_whole(asked, keys)
    early = [] if worded.sentences is None else [worded.sentences]
    read = [*early, asked.library.sentences(others if early else keys)]
    found = np.concatenate([some for some, _, _ in read])
    counts = np.concatenate([some for _, some, _ in read])
    # Each by itself: a product of all rounds some by where they stand.
    cosines = np.concatenate([np.vecdot(some, asked.encoding.vector) for _, _, some in read])
    owners = np.repeat(np.arange(len(found)), counts)
    best = scoring.best_of_groups(cosines, owners, len(found))
    return found, np.maximum(best, 0.0)


def _meaning_of_whole(asked: Asked, keys: Sequence[int]) -> tuple[Keys, Scores]:
    """The same, where a passage has one vector: see :attr:`Ranking.whole_passages`."""
    tokens = asked.library.tokens(keys)
    means = {
        key: scoring.mean_vector(rows, tokens[key].counts)
        for key, rows in asked.library.vectors(keys).items()
        if key in tokens
    }
    cosines = [float(mean @ asked.encoding.vector) for mean in means.values()]
    return np.array(list(means), dtype=np.int64), np.maximum(cosines, 0.0)
