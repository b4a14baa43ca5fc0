"""Question → Hits: embed, search both indexes, fuse, re-order, mark the answer, fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag import ranking
from rag.errors import EmptyQuestion, InputError
from rag.filters import Filter
from rag.indexes import Snapshot
from rag.protocols import Embedder
from rag.store import StoredPassage, StoreReader
from rag.types import Hit, Keys, QueryEncoding, Quote, Scores, Span, Why

PASSAGES_PROPOSED = 100
"""Passages that each index proposes."""

SENTENCES_PROPOSED = 300
"""Nearest sentences that are looked at for them: a good passage has several."""

REORDERED = 50
"""Best passages of the fusion that are re-ordered by late interaction."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """One question, and what it is asked of."""

    question: str
    encoding: QueryEncoding
    k: int
    among: Sequence[tuple[int, int]] | None
    store: StoreReader
    snapshot: Snapshot


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """Proposed passages, each with its true score in both indexes.

    The ranks are by key; a passage has none in an index that did not propose it.
    """

    keys: Keys
    meaning: Scores
    words: Scores
    meaning_ranks: dict[int, int]
    words_ranks: dict[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """A passage with its scores; ``sentences`` has the late interaction of each sentence."""

    stored: StoredPassage
    score: float
    meaning: float
    words: float
    tokens: float
    sentences: Scores


def search(
    question: str,
    k: int,
    conditions: Filter,
    *,
    embedder: Embedder,
    store: StoreReader,
    snapshot: Snapshot,
) -> list[Hit]:
    """Find the ``k`` passages that best answer a question, best first.

    Parameters
    ----------
    question
        In plain words.
    k
        How many hits, at least 1; there are fewer in a library with fewer passages.
    conditions
        Which documents to look in. They hold before anything is ranked, so a filter that leaves
        three passages finds all three.

    Returns
    -------
    list of Hit
        Passages with the same words are one hit, which names the other sources.

    Raises
    ------
    EmptyQuestion
        If there is no letter and no digit in the question.
    InputError
        If ``k`` is below 1.
    """
    if not any(character.isalnum() for character in question):
        raise EmptyQuestion("the question is empty: ask in plain words, like “Who wrote it?”")
    if k < 1:
        raise InputError(f"the number of hits must be at least 1, not {k}")
    among = store.matching(conditions) if conditions else None
    asked = _Asked(question, embedder.query(question), k, among, store, snapshot)
    candidates = _candidates(asked)
    scored = _reordered(asked, candidates)
    order = ranking.best_first(
        np.array([one.score for one in scored]), [one.stored.passage.id for one in scored]
    )
    groups = ranking.folded(order, [one.stored.passage.text for one in scored])
    return [
        _hit(rank, [scored[i] for i in group], asked, candidates)
        for rank, group in enumerate(groups[:k], start=1)
    ]


def _candidates(asked: _Asked) -> _Candidates:
    """What the indexes propose together."""
    depth = max(PASSAGES_PROPOSED, 2 * asked.k)
    sentences = max(SENTENCES_PROPOSED, 6 * asked.k)
    vector = asked.encoding.vector
    keys = None if asked.among is None else [key for key, _ in asked.among]
    near = _distinct(asked.snapshot.vectors.search(vector, sentences, asked.among)[0])[:depth]
    worded, _ = asked.snapshot.words.search(asked.question, depth, keys)
    # A passage may have gone since the snapshot; what the store no longer has is left out.
    vectors = asked.store.vectors(_distinct(np.concatenate([near, worded])).tolist())
    found = np.array(list(vectors), dtype=np.int64)
    owners = np.repeat(np.arange(len(found)), [len(rows) for rows in vectors.values()])
    cosines = np.concatenate([rows @ vector for rows in vectors.values()] or [np.zeros(0)])
    return _Candidates(
        keys=found,
        meaning=np.maximum(ranking.best_of_groups(cosines, owners, len(found)), 0.0),
        words=asked.snapshot.words.score(asked.question, found.tolist()),
        meaning_ranks={key: rank for rank, key in enumerate(near.tolist(), start=1)},
        words_ranks={key: rank for rank, key in enumerate(worded.tolist(), start=1)},
    )


def _reordered(asked: _Asked, candidates: _Candidates) -> list[_Scored]:
    """The best of the fusion, scored once more by late interaction over their tokens."""
    fused = ranking.fuse(candidates.meaning, candidates.words)
    best = np.argsort(-fused, kind="stable")[: max(REORDERED, 2 * asked.k)]
    stored = asked.store.passages(candidates.keys[best].tolist())
    tokens = asked.store.tokens(candidates.keys[best].tolist())
    kept = [i for i in best.tolist() if int(candidates.keys[i]) in stored.keys() & tokens.keys()]
    if not kept:
        return []
    pieces = asked.snapshot.pieces
    found = [tokens[int(candidates.keys[i])] for i in kept]
    passages, sentences = ranking.late_interaction(
        asked.encoding.tokens,
        ranking.rarity(pieces.of(asked.encoding.pieces), pieces.passages),
        np.concatenate([one.bits for one in found]),
        [one.counts for one in found],
    )
    scores = ranking.combine(fused[kept], passages)
    return [
        _Scored(
            stored=stored[int(candidates.keys[i])],
            score=float(scores[n]),
            meaning=float(candidates.meaning[i]),
            words=float(candidates.words[i]),
            tokens=float(passages[n]),
            sentences=sentences[n],
        )
        for n, i in enumerate(kept)
    ]


def _hit(rank: int, same: Sequence[_Scored], asked: _Asked, candidates: _Candidates) -> Hit:
    """The hit for passages with the same words, of which the first is the best."""
    best = same[0]
    stored, passage = best.stored, best.stored.passage
    source, *others = [path for one in same for path in one.stored.sources]
    answer = _answer(best)
    # The page that a reader has to turn to: the one where the answer begins.
    page = next((one for one in reversed(passage.pages) if one.start <= answer.start), None)
    return Hit(
        rank=rank,
        score=best.score,
        text=passage.text,
        title=stored.title,
        source=source,
        date=stored.date,
        page=page.number if page else None,
        headings=passage.headings,
        document_id=passage.document_id,
        passage_id=passage.id,
        start=passage.start,
        end=passage.end,
        answer=Quote(answer.shifted(-passage.start).of(passage.text), answer.start, answer.end),
        why=Why(
            meaning=best.meaning,
            words=best.words,
            tokens=best.tokens,
            meaning_rank=candidates.meaning_ranks.get(stored.key),
            words_rank=candidates.words_ranks.get(stored.key),
            matched=asked.snapshot.words.matched(asked.question, passage.text),
        ),
        page_label=page.label if page else None,
        date_from=stored.date_from,
        also_in=tuple(dict.fromkeys(path for path in others if path != source)),
    )


def _answer(scored: _Scored) -> Span:
    """The sentence that meets the question's tokens best; no heading, if there is anything else.

    Late interaction marks better than the cosine of the sentence: ARCHITECTURE.md has the
    figures.
    """
    passage = scored.stored.passage
    first = passage.leading if passage.leading < len(passage.sentences) else 0
    return passage.sentences[first + int(np.argmax(scored.sentences[first:]))]


def _distinct(keys: Keys) -> Keys:
    """Each key once, in the order of first appearance."""
    return np.array(list(dict.fromkeys(keys.tolist())), dtype=np.int64)
