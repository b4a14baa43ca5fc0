"""Late interaction of query tokens with passage tokens binarized to one bit per dimension.

Khattab and Zaharia, "ColBERT", SIGIR 2020, with a model that was not trained for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.search.scoring import DEFAULT, SearchConfig, best_of_runs
from rag.types.arrays import Scores, TokenBits, TokenVectors

_OF_BYTE = np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1) * np.float32(2) - 1
"""The eight signs, 1 or -1, of each byte value; one table lookup takes half the time of unpacking,
converting, doubling and subtracting."""

BLOCK_ROWS = 12
"""Rows that OpenBLAS multiplies at once. A remainder would be rounded differently, so products are
padded to a multiple of this: the same row has the same cosine wherever it is. For the same reason
no more vectors than this are multiplied at once."""

SINGLE_THREADED = 2**19
"""OpenBLAS splits products of this many multiplications or more across threads; on a busy machine,
synchronizing them takes longer than the product. Below it, the unpacked signs also stay in a core's
cache."""


@dataclass(frozen=True, slots=True, eq=False)
class TokenMatches:
    """Best match of each query token in each sentence of some passages.

    ``best`` is the highest cosine of the query token with any token of the sentence: shape (query
    tokens, sentences), -1 for a sentence without tokens. ``title`` is the same for the title of
    each passage's document: shape (query tokens, passages), -1 if there is none. ``lengths`` is the
    number of tokens in each sentence, shape (sentences,), and ``sentences`` the number of sentences
    in each passage, shape (passages,).
    """

    best: NDArray[np.float64]
    title: NDArray[np.float64]
    lengths: NDArray[np.int64]
    sentences: NDArray[np.int64]

    @property
    def owners(self) -> NDArray[np.int64]:
        """The index of each sentence's passage, ascending; shape (sentences,)."""
        return np.repeat(np.arange(len(self.sentences)), self.sentences)


def match_tokens(
    query: TokenVectors,
    bits: TokenBits,
    counts: Sequence[NDArray[np.int32]],
    titles: Sequence[TokenBits] = (),
) -> TokenMatches:
    """Compare query tokens with those of passages.

    Parameters
    ----------
    query
        Shape (tokens, dimension).
    bits
        The tokens of all passages, concatenated.
    counts
        For each passage the number of tokens per sentence; they add up to the rows of ``bits``.
    titles
        For each passage the tokens of its document's title, which may be none; empty if no document
        has a title.
    """
    lengths = np.concatenate([*counts, np.zeros(0, np.int32)]).astype(np.int64)
    best = best_of_runs(cosines(query, bits), lengths, -1.0)
    title = np.full((len(query), len(counts)), -1.0)
    if titles:
        of_titles = np.array([len(one) for one in titles], dtype=np.int64)
        title = best_of_runs(cosines(query, np.concatenate(titles)), of_titles, -1.0)
    sentences = np.array([len(one) for one in counts], dtype=np.int64)
    return TokenMatches(best, title, lengths, sentences)


def passage_scores(
    matches: TokenMatches, weights: Scores, config: SearchConfig = DEFAULT
) -> Scores:
    """Late-interaction score of each passage, in [0, 1].

    ``(1 - s) · Σ w · max over the passage + s · max over its sentences of Σ w · max over the
    sentence``, each divided by ``Σ w``. The first term is ColBERT's MaxSim; the second, with the
    share s of :attr:`SearchConfig.sentence_share`, rewards a query matched in one place. A
    document's title counts as part of each sentence: later passages seldom repeat what it is about.

    Parameters
    ----------
    weights
        Weights of the query tokens, shape (tokens,), not negative; if all are zero, they are equal.
    """
    share = _shares(weights)
    best = np.maximum(matches.best, matches.title[:, matches.owners])
    whole = share @ best_of_runs(best, matches.sentences, -1.0)
    in_one = best_of_runs(share @ best, matches.sentences)
    mixed = (1.0 - config.sentence_share) * whole + config.sentence_share * in_one
    return np.clip(mixed, 0.0, 1.0)


def sentence_scores(
    matches: TokenMatches,
    weights: Scores,
    continued: NDArray[np.bool_],
    config: SearchConfig = DEFAULT,
) -> list[Scores]:
    """Score of each sentence as the answer, for each passage; the highest is highlighted.

    A sentence often refers back to what the one before it named, so part of its score is for the
    two together. The term in the logarithm of its length corrects for matches by chance.

    Parameters
    ----------
    weights
        As in :func:`passage_scores`.
    continued
        Which query tokens continue a word, shape (tokens,). They get no weight: a word's first
        token stands for the word, since it was encoded in context, and otherwise a rare name of
        many pieces would outweigh everything else.
    """
    share = _shares(np.where(continued, 0.0, weights))
    owners, best = matches.owners, matches.best
    with_before = best.copy()
    follows = owners[1:] == owners[:-1]
    with_before[:, 1:][:, follows] = np.maximum(best[:, 1:], best[:, :-1])[:, follows]
    scores = (
        (1.0 - config.context_share) * (share @ best)
        + config.context_share * (share @ with_before)
        - config.length_penalty * np.log(np.maximum(matches.lengths, 1))
    )
    return np.split(scores, np.cumsum(matches.sentences)[:-1])


def cosines(vectors: TokenVectors, bits: TokenBits) -> NDArray[np.float32]:
    """Cosine of each vector with each row of signs.

    Parameters
    ----------
    vectors
        Shape (vectors, dimension), not necessarily normalized.
    bits
        Shape (rows, dimension / 8).

    Returns
    -------
    array
        Shape (vectors, rows).
    """
    dimension = vectors.shape[1]
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    units = vectors / (lengths * np.sqrt(np.float32(dimension)))
    rows = max((SINGLE_THREADED - 1) // (BLOCK_ROWS * dimension) // BLOCK_ROWS, 1) * BLOCK_ROWS
    found = np.empty((_padded(len(bits)), len(vectors)), np.float32)
    room = np.ones((min(rows, len(found)), bits.shape[1], 8), np.float32)
    signs = room.reshape(len(room), 8 * bits.shape[1])[:, :dimension]
    parts = _parts(units)
    for first in range(0, len(bits), rows):
        some = bits[first : first + rows]
        # With mode="raise", take would make a copy before it fills the buffer.
        _OF_BYTE.take(some, axis=0, out=room[: len(some)], mode="clip")
        filled = _padded(len(some))
        for columns, part in parts:
            np.matmul(signs[:filled], part, out=found[first : first + filled, columns])
    return found[: len(bits)].T


def _parts(units: TokenVectors) -> list[tuple[slice, TokenVectors]]:
    """The vectors in blocks of about the same size, each transposed to columns."""
    count = max(-(-len(units) // BLOCK_ROWS), 1)
    size = max(-(-len(units) // (4 * count)), 1) * 4  # OpenBLAS has kernels for four and for eight
    slices = [slice(first, first + size) for first in range(0, len(units), size)]
    return [(one, np.ascontiguousarray(units[one].T)) for one in slices]


def _padded(rows: int) -> int:
    """``rows`` rounded up to a multiple of :data:`BLOCK_ROWS`."""
    return -(-rows // BLOCK_ROWS) * BLOCK_ROWS


def _shares(weights: Scores) -> Scores:
    total = weights.sum()
    return weights / total if total > 0.0 else np.full(len(weights), 1.0 / max(len(weights), 1))
