"""Candidate generation: passages from both indexes, each with its dense and lexical score.

The lexical search needs no model. In a large library it runs, and its passages are read from the
store, while the model encodes the query.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.index.engine import Searcher
from rag.index.records import StoredTokens
from rag.search import scoring
from rag.search.scoring import SearchConfig
from rag.text.constraints import Constraint
from rag.text.language import is_written_in
from rag.types import QueryEncoding, Respelling
from rag.types.arrays import Keys, Scores, Vectors

T = TypeVar("T")

LARGE_LIBRARY = 50_000
"""Passages from which the lexical search runs in parallel with the model and the store; in a
smaller library that would be slower, because of Python's GIL."""

LEXICAL_THREADS = 32
"""Lexical searches at once; further ones wait."""


@dataclass(frozen=True, slots=True, eq=False)
class EncodedQuery:
    """The corrected, encoded query, with its configuration and the filtered index.

    ``text`` is the query without its filters, and with the ``corrections`` of words that occur in
    no document; ``constraints`` are what a passage should share with it. ``language`` and
    ``script`` are its own; None if unknown, or if the model's scores don't depend on them.
    """

    text: str
    language: str | None
    script: str | None
    corrections: tuple[Respelling, ...]
    constraints: tuple[Constraint, ...]
    encoding: QueryEncoding
    config: SearchConfig
    library: Searcher


@dataclass(frozen=True, slots=True, eq=False)
class LexicalScores:
    """Result of the lexical search: scores by passage key, best first.

    If the search ran in parallel with the model, it has also read the sentences of all these
    passages (see :meth:`rag.index.engine.Searcher.sentences`) and the tokens of the best.
    """

    by_key: dict[int, float]
    sentences: tuple[Keys, NDArray[np.int64], Vectors] | None = None
    tokens: Mapping[int, StoredTokens] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Candidate passages, each with its exact scores from both indexes.

    ``dense`` is the best cosine of a sentence, rescaled so that unrelated texts have 0, and
    ``lexical`` BM25 as a share of its upper bound for the query; shape (keys,), in [0, 1].
    ``is_foreign`` marks passages in another language than the query, whose ``dense`` makes up for
    that. Ranks are by key; a passage has none in an index that did not propose it. ``tokens`` are
    those already read.
    """

    keys: Keys
    dense: Scores
    lexical: Scores
    dense_ranks: dict[int, int]
    lexical_ranks: dict[int, int]
    is_foreign: NDArray[np.bool_]
    tokens: Mapping[int, StoredTokens]


def start_lexical(
    text: str, config: SearchConfig, library: Searcher
) -> Callable[[], LexicalScores]:
    """Start the lexical search; returns a function that waits for its result.

    In a large library it runs in the background: encode the query before waiting.
    """
    return _start(lambda: _lexical(text, config, library), library)


def candidates(query: EncodedQuery, lexical: LexicalScores) -> Candidates:
    """The union of the vector index's candidates and the lexical ones.

    Passages deleted since the snapshot are left out.
    """
    proposed = _nearest(query)
    others = [key for key in proposed if key not in lexical.by_key]
    # Runs while the store waits for the disk.
    lexical_of_others = _start(
        lambda: query.library.lexical(query.text, len(others), others), query.library
    )
    found, dense = _dense(query, others, lexical)
    is_foreign = _is_foreign(query, found)
    dense = np.minimum(dense + query.encoding.scale.dense_gap * is_foreign, 1.0)
    cosines = dict(zip(found.tolist(), dense.tolist(), strict=True))
    by_cosine = sorted((key for key in proposed if key in cosines), key=lambda key: -cosines[key])
    nearest = by_cosine[: query.config.index_depth]
    wanted = {*nearest, *lexical.by_key}
    kept = np.array([key in wanted for key in found.tolist()], dtype=bool)
    keys = found[kept]
    others_found, others_scores = lexical_of_others()
    scores = lexical.by_key | dict(zip(others_found.tolist(), others_scores.tolist(), strict=True))
    return Candidates(
        keys=keys,
        dense=dense[kept],
        lexical=np.array([scores.get(key, 0.0) for key in keys.tolist()]),
        dense_ranks={key: rank for rank, key in enumerate(nearest, start=1)},
        lexical_ranks={key: rank for rank, key in enumerate(lexical.by_key, start=1)},
        is_foreign=is_foreign[kept],
        tokens=lexical.tokens,
    )


def run_in_background(call: Callable[[], T]) -> Callable[[], T]:
    """Start a call in a shared thread pool; returns a function that waits for its result or raises
    its exception.

    For work that releases the GIL, such as an index search. The call must not wait for another one
    in the pool.
    """
    return _thread_pool(os.getpid()).submit(call).result


@lru_cache(maxsize=1)
def _thread_pool(_process: int) -> ThreadPoolExecutor:
    """The pool of this process; a forked child can't use its parent's."""
    return ThreadPoolExecutor(LEXICAL_THREADS, "lexical")


def _start(call: Callable[[], T], library: Searcher) -> Callable[[], T]:
    """Start a call to the lexical index, in another thread if the library is large; otherwise it
    has finished when this returns.
    """
    if len(library) >= LARGE_LIBRARY:
        return run_in_background(call)
    result = call()
    return lambda: result


def _lexical(text: str, config: SearchConfig, library: Searcher) -> LexicalScores:
    keys, scores = library.lexical(text, config.index_depth)
    by_key = dict(zip(keys.tolist(), scores.tolist(), strict=True))
    if len(library) < LARGE_LIBRARY:
        return LexicalScores(by_key)
    best = [*by_key][: config.late_depth]
    return LexicalScores(by_key, library.sentences([*by_key]), library.tokens(best))


def _nearest(query: EncodedQuery) -> list[int]:
    """The passages of the nearest sentences, best first; of an approximate index up to twice as
    many, to be rescored with exact vectors.
    """
    if query.config.dense_weight == 0.0:
        return []
    config = query.config
    found = query.library.nearest(query.encoding.vector, config.sentence_depth, config.index_depth)
    keys: list[int] = found.tolist()
    return keys


def _dense(
    query: EncodedQuery, others: Sequence[int], lexical: LexicalScores
) -> tuple[Keys, Scores]:
    """Keys and dense scores, in [0, 1], of the lexical candidates and of ``others``."""
    early = [] if lexical.sentences is None else [lexical.sentences]
    late = others if early else [*lexical.by_key, *others]
    read = [*early, query.library.sentences(late)]
    found = np.concatenate([keys for keys, _, _ in read])
    counts = np.concatenate([some for _, some, _ in read])
    # One product per passage: in one large product, rounding depends on a row's position.
    cosines = np.concatenate([np.vecdot(rows, query.encoding.vector) for _, _, rows in read])
    floor = query.encoding.scale.floor
    above = (scoring.best_of_runs(cosines, counts) - floor) / (1.0 - floor)
    return found, np.maximum(above, 0.0)


def _is_foreign(query: EncodedQuery, keys: Keys) -> NDArray[np.bool_]:
    """Whether passages are in a language of another script than the query, or in any other language
    if there are none in that of the query; shape (keys,).

    Languages of one script lie closer together: where there are passages in that of the query, the
    correction would put a translation before its original.
    """
    if query.script is None:
        return np.zeros(len(keys), dtype=bool)
    languages = query.library.languages(keys.tolist())
    is_elsewhere = query.language is not None and query.language not in languages.values()
    foreign = {
        key
        for key, language in languages.items()
        if language and (is_elsewhere or not is_written_in(language, query.script))
    }
    return np.array([key in foreign for key in keys.tolist()], dtype=bool)
