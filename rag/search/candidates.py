"""Candidate generation: passages from both indexes, each with its dense and lexical score.

The lexical search needs no model. In a large library it runs, and its passages are read from the
store, while the model encodes the query.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.index.engine import Searcher
from rag.index.records import StoredTokens
from rag.search import background_call, scoring
from rag.search.scoring import Ranking, Signals
from rag.types import QueryEncoding, Respelling
from rag.types.arrays import Keys, Scores, Vectors

T = TypeVar("T")

MANY = 50_000
"""Passages from which on the lexical search runs in parallel with the model and the store. In a
smaller library that would be slower, because of Python's GIL."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A parsed and encoded query, with the library that it searches, filters applied.

    ``question`` is the query without its filters, and with the replacements of ``instead`` for
    words that occur in no document.
    """

    question: str
    instead: tuple[Respelling, ...]
    encoding: QueryEncoding
    settings: Ranking
    library: Searcher


@dataclass(frozen=True, slots=True, eq=False)
class Worded:
    """Result of the lexical search: scores by passage key, best first.

    If they were read in parallel with the model, it also has the sentences of all these passages
    (see :meth:`rag.index.engine.Searcher.sentences`) and the tokens of the best; otherwise None and
    an empty mapping.
    """

    ranked: dict[int, float]
    sentences: tuple[Keys, NDArray[np.int64], Vectors] | None
    tokens: Mapping[int, StoredTokens]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Candidate passages, each with its exact scores from both indexes.

    Ranks are by key; a passage has none in an index that did not propose it. ``tokens`` are those
    already read.
    """

    keys: Keys
    signals: Signals
    meaning_ranks: dict[int, int]
    words_ranks: dict[int, int]
    tokens: Mapping[int, StoredTokens]


def by_words(question: str, settings: Ranking, library: Searcher) -> Callable[[], Worded]:
    """Start the lexical search; returns a function that waits for its result.

    In a large library it runs in the background: encode the query before waiting.
    """
    return _begun(lambda: _worded(question, settings, library), library)


def candidates(asked: Asked, worded: Worded) -> Candidates:
    """The union of the vector index's candidates and the lexical ones."""
    proposed = _nearest(asked)
    others = [key for key in proposed if key not in worded.ranked]
    # Runs while the store waits for the disk.
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
    """Start a call to the lexical index, in another thread if the library is large; otherwise it
    has finished when this returns.
    """
    if len(library) >= MANY:
        return background_call.begun(call)
    result = call()
    return lambda: result


def _worded(question: str, settings: Ranking, library: Searcher) -> Worded:
    """Search the lexical index."""
    count = settings.passages_proposed if settings.meaning_weight < 1.0 else 0
    keys, scores = library.lexical(question, count)
    ranked = dict(zip(keys.tolist(), scores.tolist(), strict=True))
    if len(library) < MANY:
        return Worded(ranked, None, {})
    best = [*ranked][: settings.reordered]
    return Worded(ranked, library.sentences([*ranked]), library.tokens(best))


def _nearest(asked: Asked) -> list[int]:
    """Candidates from the vector index: the passages of the nearest sentences, best first.

    If the index is approximate, returns up to twice as many, to be rescored with exact vectors.
    """
    if asked.settings.meaning_weight == 0.0:
        return []
    nearest = asked.library.nearest(asked.encoding.vector, asked.settings.sentences_proposed)
    keys: list[int] = nearest.tolist()
    return keys[: asked.settings.passages_proposed * (1 if asked.library.exact else 2)]


def _truly_nearest(asked: Asked, proposed: list[int], found: Keys, meaning: Scores) -> list[int]:
    """The nearest of the proposed passages, by exact cosine."""
    cosines = dict(zip(found.tolist(), meaning.tolist(), strict=True))
    there = [key for key in proposed if key in cosines]
    return sorted(there, key=lambda key: -cosines[key])[: asked.settings.passages_proposed]


def _meaning(asked: Asked, others: Sequence[int], worded: Worded) -> tuple[Keys, Scores]:
    """Keys and dense scores, at least 0, of the lexical candidates and of ``others``.

    Passages deleted since the snapshot are left out.
    """
    keys = [*worded.ranked, *others]
    if asked.settings.whole_passages:
        return _meaning_of_whole(asked, keys)
    early = [] if worded.sentences is None else [worded.sentences]
    read = [*early, asked.library.sentences(others if early else keys)]
    found = np.concatenate([some for some, _, _ in read])
    counts = np.concatenate([some for _, some, _ in read])
    # One product per passage: in one large product, rounding depends on a row's position.
    cosines = np.concatenate([np.vecdot(some, asked.encoding.vector) for _, _, some in read])
    owners = np.repeat(np.arange(len(found)), counts)
    best = scoring.best_of_groups(cosines, owners, len(found))
    return found, np.maximum(best, 0.0)


def _meaning_of_whole(asked: Asked, keys: Sequence[int]) -> tuple[Keys, Scores]:
    """Dense scores with one vector per passage: see :attr:`Ranking.whole_passages`."""
    tokens = asked.library.tokens(keys)
    means = {
        key: scoring.mean_vector(rows, tokens[key].counts)
        for key, rows in asked.library.vectors(keys).items()
        if key in tokens
    }
    cosines = [float(mean @ asked.encoding.vector) for mean in means.values()]
    return np.array(list(means), dtype=np.int64), np.maximum(cosines, 0.0)
