"""Vectors → places on a plane, so that what lies near each other there is alike. Pure.

By t-SNE (van der Maaten and Hinton, "Visualizing data using t-SNE", 2008), which keeps neighbours
together and says little of what lies far apart. It begins with the two widest directions, which
keeps the whole in order (Kobak and Berens, "The art of using t-SNE", 2019) and the same each time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.arrays import Vector, Vectors
from rag.types import Span

DIRECTIONS = 50
"""To so many, the widest ones, vectors are reduced first; the rest is mostly noise."""

PERPLEXITY = 30.0
"""About how many neighbours each is kept near to, where there are three times as many or more."""

STEPS = 500
"""Twice as many take twice the time; on 2,000 passages they moved trustworthiness by 0.003."""

FEWEST = 12
"""With fewer the two widest directions have to do."""

_SEED = 0


def mean_vector(sentences: Vectors, spans: Sequence[Span], leading: int) -> Vector:
    """One vector for a passage, of unit norm: the mean of its sentences, each by its length.

    Parameters
    ----------
    sentences
        Their vectors, a row each.
    spans
        Where they stand, as many.
    leading
        How many of them are headings, which are left out unless there is nothing else.
    """
    weights = np.array([len(span) for span in spans], dtype=np.float64)
    if leading < len(spans):
        weights[:leading] = 0.0
    mean = weights @ sentences
    return (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)


def widest(vectors: NDArray[np.floating], directions: int = DIRECTIONS) -> NDArray[np.float64]:
    """The rows along their widest directions, the widest first: principal components.

    Shape (n, at most ``directions``). A direction's sign is such that its longest entry counts up.
    """
    if not len(vectors):
        return np.zeros((0, directions))
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    left, sizes, right = np.linalg.svd(centred, full_matrices=False)
    rows = np.arange(len(right))
    signs = np.where(right[rows, np.abs(right).argmax(axis=1)] < 0, -1.0, 1.0)
    turned: NDArray[np.float64] = (left * sizes * signs)[:, :directions]
    return turned


def on_a_plane(vectors: Vectors) -> NDArray[np.float64]:
    """Where each vector lies: shape (n, 2), within [-1, 1], the wider direction first.

    The same vectors give the same places. Equal vectors lie at the same place. With ``n`` of
    2,000 this takes some seconds on one core, and uses only one: others may be answering.
    """
    distinct, where = np.unique(vectors, axis=0, return_inverse=True)
    places = widest(distinct)
    if len(distinct) >= FEWEST:
        places = _neighbourly(places)
    placed = np.zeros((len(distinct), 2))
    turned = widest(places, 2)[:, :2]
    placed[:, : turned.shape[1]] = turned
    if len(placed):
        placed -= (placed.min(axis=0) + placed.max(axis=0)) / 2
    furthest = np.abs(placed).max(initial=0.0)
    return (placed / furthest if furthest > 0 else placed)[where.ravel()]


def _neighbourly(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    spread = float(rows[:, 0].std())
    # With several threads, sums come in another order each time, and the places with them.
    with threadpool_limits(1, user_api="openmp"):
        found = TSNE(
            perplexity=min(PERPLEXITY, (len(rows) - 1) / 3),
            init=(rows[:, :2] / spread * 1e-4).astype(np.float32),
            max_iter=STEPS,
            random_state=_SEED,
        ).fit_transform(rows)
    return np.asarray(found, dtype=np.float64)
