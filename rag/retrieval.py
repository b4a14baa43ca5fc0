"""Question → Hits: embed, search both indexes, fuse, re-order, mark the answer, fold.

Each stage is a function. How it weighs and how deep it looks stands in :class:`Ranking`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rag import asking, beside, ranking, spelling
from rag.arrays import Keys, Scores, Vectors
from rag.engine import Searcher
from rag.errors import EmptyQuestion, InputError
from rag.filters import Filter
from rag.protocols import QuestionEncoder
from rag.ranking import Ranking, Signals
from rag.reranking import Reranker
from rag.store import StoredPassage, StoredTokens
from rag.types import Hit, Passage, QueryEncoding, Quote, Respelling, Span, Why

T = TypeVar("T")

MANY = 50_000
"""Passages from which on the word index is asked beside the model and the store. Fewer would be
answered more slowly for it, since Python's threads take turns."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """One question, and what it is asked of: all that may be found.

    ``question`` is what was asked without its conditions, and with other words ``instead`` of
    those that no document has.
    """

    question: str
    instead: tuple[Respelling, ...]
    encoding: QueryEncoding
    k: int
    settings: Ranking
    library: Searcher


@dataclass(frozen=True, slots=True, eq=False)
class _Worded:
    """What the words found, best first, with their scores; and their sentences, where those were
    read beside the model (see :meth:`rag.engine.Searcher.sentences`).
    """

    ranked: dict[int, float]
    sentences: tuple[Keys, NDArray[np.int64], Vectors] | None


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """Proposed passages, each with all its true signals, whoever proposed it.

    The ranks are by key; a passage has none in an index that did not propose it.
    """

    keys: Keys
    signals: Signals
    meaning_ranks: dict[int, int]
    words_ranks: dict[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """A passage with its scores; ``sentences`` says how well each of its sentences answers."""

    stored: StoredTokens
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
    embedder: QuestionEncoder,
    library: Searcher,
    settings: Ranking = ranking.DEFAULT,
    reranker: Reranker | None = None,
) -> list[Hit]:
    """Find the ``k`` passages that best answer a question, best first.

    Parameters
    ----------
    question
        In plain words, and what :mod:`rag.asking` makes a condition.
    k
        How many hits, at least 1; there are fewer in a library with fewer passages.
    conditions
        Which documents to look in, besides those in the question. They hold before anything is
        ranked, so a filter that leaves three passages finds all three.
    settings
        Weights and depths. All depths grow with ``k``.
    reranker
        A cross-encoder that has the last word on the best passages. Only those are hits then,
        and their scores are its own.

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
    query = asking.read(question)
    if not any(character.isalnum() for character in query.question):
        raise EmptyQuestion(
            "the question has only conditions: add what to look for, or list all that meets them"
            " with rag ask --all"
            if query.conditions or query.clauses
            else "the question is empty: ask in plain words, like “Who wrote it?”"
        )
    if k < 1:
        raise InputError(f"the number of hits must be at least 1, not {k}")
    instead = _instead(query.question, embedder, library)
    respelled = spelling.respelled(query.question, instead)
    limited = library.limited((*query.conditions, conditions), query.clauses)
    count = _proposed(k, settings) if settings.meaning_weight < 1.0 else 0
    # While the model reads the question, which takes one core and some milliseconds.
    worded = _begun(lambda: _worded(respelled, count, limited), limited)
    asked = _Asked(
        question=respelled,
        instead=instead,
        encoding=embedder.query(respelled),
        k=k,
        settings=settings,
        library=limited,
    )
    candidates = _candidates(asked, worded())
    scored = _reordered(asked, candidates)
    if reranker:
        scored = _reranked(asked, scored, reranker)
    groups = ranking.folded(_order(scored), [one.stored.text for one in scored], _places(scored))
    return _hits([[scored[i] for i in group] for group in groups[:k]], asked, candidates)


def _instead(question: str, embedder: QuestionEncoder, library: Searcher) -> tuple[Respelling, ...]:
    """What is looked for in place of words that no document has.

    A word that is a single piece in the model's vocabulary is no slip, only absent: without
    planets in the library, a question about a planet must not find planes.
    """
    return tuple(
        one for one in library.respellings(question) if len(embedder.tokens(one.asked)) > 1
    )


def _worded(question: str, count: int, library: Searcher) -> _Worded:
    """What the question's words find."""
    keys, scores = library.worded(question, count)
    ranked = dict(zip(keys.tolist(), scores.tolist(), strict=True))
    return _Worded(ranked, library.sentences([*ranked]) if len(library) >= MANY else None)


def _begun(call: Callable[[], T], library: Searcher) -> Callable[[], T]:
    """Ask the word index, in a thread of its own where there is enough to ask."""
    if len(library) >= MANY:
        return beside.begun(call)
    result = call()
    return lambda: result


def _candidates(asked: _Asked, by_words: _Worded) -> _Candidates:
    """What the vectors propose, and what the words did."""
    proposed = _nearest(asked)
    worded = by_words.ranked
    others = [key for key in proposed if key not in worded]
    # While the store is read, which waits for the disk.
    looked_up = _begun(
        lambda: asked.library.word_scores(asked.question, others).tolist(), asked.library
    )
    found, meaning = _meaning(asked, others, by_words)
    near = _truly_nearest(asked, proposed, found, meaning)
    kept = np.isin(found, [*near, *worded])
    keys = found[kept]
    words = worded | dict(zip(others, looked_up(), strict=True))
    return _Candidates(
        keys=keys,
        signals=Signals(
            meaning=meaning[kept], words=np.array([words[key] for key in keys.tolist()])
        ),
        meaning_ranks={key: rank for rank, key in enumerate(near, start=1)},
        words_ranks={key: rank for rank, key in enumerate(worded, start=1)},
    )


def _nearest(asked: _Asked) -> list[int]:
    """The passages of the sentences whose vectors are nearest, best first.

    Where the index only guesses how near, they are up to twice as many: the store is asked for
    their vectors.
    """
    if asked.settings.meaning_weight == 0.0:
        return []
    sentences = max(asked.settings.sentences_proposed, 6 * asked.k)
    keys: list[int] = asked.library.nearest(asked.encoding.vector, sentences).tolist()
    return keys[: _proposed(asked.k, asked.settings) * (1 if asked.library.exact else 2)]


def _truly_nearest(asked: _Asked, proposed: list[int], found: Keys, meaning: Scores) -> list[int]:
    """The nearest of what was proposed, by what the store knows of them."""
    cosines = dict(zip(found.tolist(), meaning.tolist(), strict=True))
    there = [key for key in proposed if key in cosines]
    return sorted(there, key=lambda key: -cosines[key])[: _proposed(asked.k, asked.settings)]


def _proposed(k: int, settings: Ranking) -> int:
    return max(settings.passages_proposed, 2 * k)


def _meaning(asked: _Asked, others: Sequence[int], worded: _Worded) -> tuple[Keys, Scores]:
    """The cosine of each passage with the question, none below 0, and the keys they belong to:
    of what the words found, and of ``others``.

    A passage may have gone since the snapshot; what the store no longer has is left out.
    """
    keys = [*worded.ranked, *others]
    if asked.settings.whole_passages:
        tokens = asked.library.tokens(keys)
        means = {
            key: ranking.mean_vector(rows, tokens[key].counts)
            for key, rows in asked.library.vectors(keys).items()
            if key in tokens
        }
        cosines = [float(mean @ asked.encoding.vector) for mean in means.values()]
        return np.array(list(means), dtype=np.int64), np.maximum(cosines, 0.0)
    early = worded.sentences
    found, counts, vectors = asked.library.sentences(keys if early is None else others)
    if early is not None:
        found = np.concatenate([early[0], found])
        counts = np.concatenate([early[1], counts])
        vectors = np.concatenate([early[2], vectors])
    owners = np.repeat(np.arange(len(found)), counts)
    # Each by itself: a product of all rounds some by where they stand.
    cosines = np.vecdot(vectors, asked.encoding.vector)
    best = ranking.best_of_groups(cosines, owners, len(found))
    return found, np.maximum(best, 0.0)


def _reordered(asked: _Asked, candidates: _Candidates) -> list[_Scored]:
    """The best of the fusion, scored once more by late interaction over their tokens."""
    fused = ranking.fuse(candidates.signals, asked.settings)
    best = np.argsort(-fused, kind="stable")[: max(asked.settings.reordered, 2 * asked.k)]
    stored = asked.library.tokens(candidates.keys[best].tolist())
    kept = [i for i in best.tolist() if int(candidates.keys[i]) in stored]
    if not kept:
        return []
    found = [stored[int(candidates.keys[i])] for i in kept]
    met = ranking.late_interaction(
        asked.encoding.tokens,
        np.concatenate([one.bits for one in found]),
        [one.counts for one in found],
        [one.title for one in found],
    )
    weights = _weights(asked)
    passages = ranking.passage_scores(met, weights, asked.settings)
    sentences = ranking.sentence_scores(met, weights, asked.encoding.continued, asked.settings)
    scores = ranking.combine(fused[kept], passages, asked.settings)
    return [
        _Scored(
            stored=found[n],
            score=float(scores[n]),
            meaning=float(candidates.signals.meaning[i]),
            words=float(candidates.signals.words[i]),
            tokens=float(passages[n]),
            sentences=sentences[n],
        )
        for n, i in enumerate(kept)
    ]


def _weights(asked: _Asked) -> Scores:
    """What each token of the question counts: its rarity in the library, or a share of it."""
    rarity = ranking.rarity(*asked.library.piece_frequencies(asked.encoding.pieces))
    return np.where(asked.encoding.worded, rarity, asked.settings.marks_weight * rarity)


def _reranked(asked: _Asked, scored: Sequence[_Scored], reranker: Reranker) -> list[_Scored]:
    """The best of them, with the cross-encoder's scores."""
    best = [scored[i] for i in _order(scored)[: max(asked.settings.reranked, 2 * asked.k)]]
    scores = reranker.scores(asked.question, [one.stored.text for one in best])
    return [replace(one, score=float(score)) for one, score in zip(best, scores, strict=True)]


def _order(scored: Sequence[_Scored]) -> list[int]:
    """Positions, best first; equal scores go by document and place."""
    return ranking.best_first(np.array([one.score for one in scored]), _places(scored))


def _places(scored: Sequence[_Scored]) -> list[tuple[str, int]]:
    return [one.stored.place for one in scored]


def _hits(groups: Sequence[Sequence[_Scored]], asked: _Asked, candidates: _Candidates) -> list[Hit]:
    """The hits for groups of passages with the same words.

    Only these are read whole. One that has gone since it was scored is left out.
    """
    whole = asked.library.passages([one.stored.key for group in groups for one in group])
    there = [[one for one in group if one.stored.key in whole] for group in groups]
    return [
        _hit(rank, group, [whole[one.stored.key] for one in group], asked, candidates)
        for rank, group in enumerate(filter(None, there), start=1)
    ]


def _hit(
    rank: int,
    same: Sequence[_Scored],
    whole: Sequence[StoredPassage],
    asked: _Asked,
    candidates: _Candidates,
) -> Hit:
    """The hit for passages with the same words; the first of them is shown."""
    shown, stored, passage = same[0], whole[0], whole[0].passage
    source, *others = [path for one in whole for path in one.sources]
    answer = _answer(passage, shown.sentences)
    page = passage.page_at(answer.start)
    return Hit(
        rank=rank,
        score=max(one.score for one in same),
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
            meaning=shown.meaning,
            words=shown.words,
            tokens=shown.tokens,
            meaning_rank=candidates.meaning_ranks.get(stored.key),
            words_rank=candidates.words_ranks.get(stored.key),
            matched=asked.library.matched(asked.question, passage.text),
            instead=asked.instead,
        ),
        page_label=page.label if page else None,
        date_from=stored.date_from,
        also_in=tuple(dict.fromkeys(path for path in others if path != source)),
    )


def _answer(passage: Passage, scores: Scores) -> Span:
    """The sentence that answers best; no heading, if there is anything else.

    Late interaction marks better than the cosine of the sentence: ARCHITECTURE.md has the
    figures.
    """
    first = passage.leading if passage.leading < len(passage.sentences) else 0
    return passage.sentences[first + int(np.argmax(scores[first:]))]
