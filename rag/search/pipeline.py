"""The search pipeline: embed, get candidates, fuse, rerank, select the answer, merge duplicates.

Each stage is a function; :class:`Ranking` has the weights and depths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.errors import EmptyQuestion, InputError
from rag.index.engine import Searcher
from rag.index.records import StoredPassage, StoredTokens
from rag.models.cross_encoder import Reranker
from rag.search import candidates as proposing
from rag.search import scoring
from rag.search.candidates import Asked, Candidates
from rag.search.corrections import alternative, corrections
from rag.search.scoring import Ranking
from rag.text import query_parser, spelling
from rag.types import Explanation, Hit, Passage, Quote, Span
from rag.types.arrays import Scores
from rag.types.filters import Filter
from rag.types.protocols import QuestionEncoder


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """A scored passage; ``sentences`` has a score for each of its sentences as the answer."""

    stored: StoredTokens
    score: float
    meaning: float
    words: float
    tokens: float
    sentences: Scores


@dataclass(frozen=True, slots=True)
class Found:
    """The hits for a question, best first; the rest as in :class:`rag.types.Answer`."""

    hits: list[Hit]
    alternative: str | None
    conditions_met: bool


def search(
    question: str,
    k: int,
    conditions: Filter,
    *,
    embedder: QuestionEncoder,
    library: Searcher,
    settings: Ranking = scoring.DEFAULT,
    reranker: Reranker | None = None,
) -> Found:
    """Find the ``k`` passages that best answer a question, best first.

    Parameters
    ----------
    question
        Plain words, and the filters that :mod:`rag.text.query_parser` understands.
    k
        How many hits, at least 1; fewer if the library has fewer passages.
    conditions
        Further filters on documents. They are applied before ranking, so if three passages pass,
        all three are found.
    settings
        Weights and depths. All depths grow with ``k``.
    reranker
        A cross-encoder for the best passages. Only those become hits then, with its scores.

    Returns
    -------
    Found
        Passages with the same text are one hit, which names the other sources.

    Raises
    ------
    EmptyQuestion
        If the question has no letter or digit.
    InputError
        If ``k`` is below 1.
    """
    query = query_parser.parse(question)
    if not any(character.isalnum() for character in query.question):
        raise EmptyQuestion(
            "the question has only conditions: add what to look for, or list all that meets them"
            " with rag ask --all"
            if query.conditions or query.clauses
            else "the question is empty: ask in plain words, like “Who wrote it?”"
        )
    if k < 1:
        raise InputError(f"the number of hits must be at least 1, not {k}")
    # A word that the model knows is absent rather than misspelt: without planets in the library, a
    # question about a planet must not find planes.
    instead, offered = corrections(query.question, query.exact, library, embedder, leave_words=True)
    respelled = spelling.correct(query.question, instead)
    limited = library.filtered((*query.conditions, conditions), query.clauses)
    deep = settings.deep_enough(k)
    worded = proposing.by_words(respelled, deep, limited)
    encoding = embedder.query(respelled)
    asked = Asked(respelled, instead, encoding, deep.for_legibility(encoding.legibility), limited)
    candidates = proposing.candidates(asked, worded())
    scored = _reordered(asked, candidates)
    if reranker:
        scored = _reranked(asked, scored, reranker)
    groups = scoring.folded(_order(scored), [one.stored.text for one in scored], _places(scored))
    hits = _hits([[scored[i] for i in group] for group in groups[:k]], asked, candidates)
    has_conditions = bool(query.conditions or query.clauses or conditions)
    conditions_met = bool(hits or not has_conditions or len(limited.matching("")))
    return Found(hits, alternative(question, instead, offered), conditions_met)


def _reordered(asked: Asked, candidates: Candidates) -> list[_Scored]:
    """Rerank the best candidates of the fusion by late interaction."""
    signals = scoring.rescaled(candidates.signals, asked.encoding.legibility)
    fused = scoring.fuse(signals, asked.settings)
    best = np.argsort(-fused, kind="stable")[: asked.settings.reordered]
    missing = [key for key in candidates.keys[best].tolist() if key not in candidates.tokens]
    stored = {**candidates.tokens, **asked.library.tokens(missing)}
    kept = [i for i in best.tolist() if int(candidates.keys[i]) in stored]
    if not kept:
        return []
    found = [stored[int(candidates.keys[i])] for i in kept]
    met = scoring.late_interaction(
        asked.encoding.tokens,
        np.concatenate([one.bits for one in found]),
        [one.counts for one in found],
        [one.title for one in found],
    )
    weights = _weights(asked)
    passages = scoring.passage_scores(met, weights, asked.settings)
    sentences = scoring.sentence_scores(met, weights, asked.encoding.continued, asked.settings)
    scores = scoring.combine(fused[kept], passages, asked.settings)
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


def _weights(asked: Asked) -> Scores:
    """Weight of each query token: its IDF in the library, less for punctuation."""
    rarity = scoring.rarity(*asked.library.piece_frequencies(asked.encoding.pieces))
    return np.where(asked.encoding.is_word, rarity, asked.settings.marks_weight * rarity)


def _reranked(asked: Asked, scored: Sequence[_Scored], reranker: Reranker) -> list[_Scored]:
    """Rerank the best passages with the cross-encoder."""
    best = [scored[i] for i in _order(scored)[: asked.settings.reranked]]
    scores = reranker.scores(asked.question, [one.stored.text for one in best])
    return [replace(one, score=float(score)) for one, score in zip(best, scores, strict=True)]


def _order(scored: Sequence[_Scored]) -> list[int]:
    """Indices, best first; ties are broken by document and position."""
    return scoring.best_first(np.array([one.score for one in scored]), _places(scored))


def _places(scored: Sequence[_Scored]) -> list[tuple[str, int]]:
    return [one.stored.place for one in scored]


def _hits(groups: Sequence[Sequence[_Scored]], asked: Asked, candidates: Candidates) -> list[Hit]:
    """One hit for each group of passages with the same text.

    Only these are read in full. A passage deleted since it was scored is left out.
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
    asked: Asked,
    candidates: Candidates,
) -> Hit:
    """The hit for passages with the same text; the first of them is shown."""
    shown, stored, passage = same[0], whole[0], whole[0].passage
    source, *others = [path for one in whole for path in one.sources]
    answer = _answer(passage, shown.sentences, asked)
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
        why=Explanation(
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


def _answer(passage: Passage, scores: Scores, asked: Asked) -> Span:
    """The sentence that answers best; never a heading if there is anything else.

    Late interaction selects better than the cosine of the sentence: tests/bench/RESULTS.md has the
    figures. The less legible the question is to the model, the more lexical matches decide.
    """
    first = passage.leading if passage.leading < len(passage.sentences) else 0
    legibility = asked.encoding.legibility
    if legibility < 1.0:
        texts = [span.shifted(-passage.start).of(passage.text) for span in passage.sentences]
        by_words = asked.library.coverage(asked.question, texts)
        scores = legibility * scores + (1.0 - legibility) * by_words
    return passage.sentences[first + int(np.argmax(scores[first:]))]
