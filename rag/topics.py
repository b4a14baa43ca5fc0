"""What a heap of passages is about: groups of passages that are alike, and words for each. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from rag import known_items

MOST = 8
"""Topics: as many as colours and shapes that people can keep apart."""

FEWEST_PASSAGES = 12
"""That a topic needs, on average."""

WORDS = 3
"""That name a topic."""

_SEED = 0
_STARTS = 4
_FEWEST_WITH = 2
_TIMES = 3.0
_SAME_BEGINNING = 5


def alike(rows: NDArray[np.float64]) -> NDArray[np.int64]:
    """The number of each passage's topic, shape (n,): k-means, the largest topic being 0.

    ``rows`` has a passage a row, its principal components. The same rows give the same topics.
    """
    count = min(MOST, len(rows) // FEWEST_PASSAGES, len(np.unique(rows, axis=0)))
    if count <= 1:
        return np.zeros(len(rows), np.int64)
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="openmp"):
        found = KMeans(count, n_init=_STARTS, random_state=_SEED).fit(rows).labels_
    order = np.argsort(-np.bincount(found, minlength=count), kind="stable")
    numbers: NDArray[np.int64] = np.argsort(order)[np.asarray(found)]
    return numbers


def named(texts: Sequence[str], topics: Sequence[int]) -> list[tuple[str, ...]]:
    """Up to three words for each topic, the most telling first.

    A word tells a topic by what it adds to the divergence (Kullback and Leibler, 1951) between
    passages of the topic and all others, if it is three times as frequent here as there. Words
    like “which” are not, whatever the language, so no list of them is needed.

    Parameters
    ----------
    texts
        One a passage.
    topics
        The topic of each: 0, 1, 2 and so on.
    """
    passages = Counter(topics)
    of_topic: dict[int, Counter[str]] = defaultdict(Counter)
    written: dict[str, Counter[str]] = defaultdict(Counter)
    for text, topic in zip(texts, topics, strict=True):
        here = {word.casefold(): word for word in _words(text)}
        of_topic[topic].update(here.keys())
        for folded, word in here.items():
            written[folded][word] += 1
    everywhere = sum(of_topic.values(), Counter[str]())

    def telling(topic: int, word: str) -> float:
        inside, rest = of_topic[topic][word], len(texts) - passages[topic]
        share = inside / (passages[topic] + 1)
        elsewhere = (everywhere[word] - inside + 0.5) / (rest + 1)
        return share * log(share / elsewhere) if share > _TIMES * elsewhere else 0.0

    names = []
    for topic in range(len(passages)):
        weights = {
            word: telling(topic, word)
            for word, count in of_topic[topic].items()
            if count >= _FEWEST_WITH
        }
        best = sorted(filter(weights.get, weights), key=lambda word: (-weights[word], word))
        names.append(tuple(written[word].most_common(1)[0][0] for word in _different(best)))
    return names


def _words(text: str) -> Iterable[str]:
    return (word for word in known_items.telling(text) if word[0].isalpha())


def _different(ordered: Iterable[str]) -> list[str]:
    """The first few words, leaving out other forms of those before: they begin alike."""
    found: list[str] = []
    for word in ordered:
        beginning = word[:_SAME_BEGINNING]
        if not any(one.startswith(beginning) or beginning.startswith(one) for one in found):
            found.append(word)
        if len(found) == WORDS:
            break
    return found
