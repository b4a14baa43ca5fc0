"""The search pipeline: parse, get candidates, fuse, rerank, select the answer, merge duplicates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.errors import EmptyQuestion, InputError
from rag.index.engine import Searcher
from rag.index.records import StoredPassage, StoredTokens
from rag.models.cross_encoder import Reranker
from rag.search import late_interaction, scoring
from rag.search.answering_sentence import answering_sentence
from rag.search.candidates import Candidates, EncodedQuery, candidates, start_lexical
from rag.search.corrections import alternative, corrections
from rag.search.scoring import DEFAULT, SearchConfig
from rag.text import query_parser, spelling
from rag.text.constraints import constraints, unmet
from rag.text.language import language, script
from rag.text.stemmer import ENGLISH, stemmer
from rag.types import Explanation, Hit, Quote, file_name
from rag.types.arrays import Scores
from rag.types.filters import Filter
from rag.types.protocols import QuestionEncoder


@dataclass(frozen=True, slots=True, eq=False)
class ScoredPassage:
    """A passage with the components of its score, as in :class:`rag.types.Explanation`;
    ``sentences`` has a score for each of its sentences as the answer.
    """

    stored: StoredTokens
    score: float
    dense: float
    lexical: float
    late: float
    sentences: Scores


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The hits for a question, best first.

    ``reading``, ``alternative`` and ``conditions_met`` are as in :class:`rag.types.Answer`.
    ``first_stage`` is the best hit before a cross-encoder reranked, whose scores are on another
    scale; None without a reranker or without candidates. ``is_brief`` says that the question has
    no more than one word, stop words aside: it asks nothing.
    """

    hits: list[Hit]
    reading: tuple[str, ...]
    alternative: str | None
    conditions_met: bool
    first_stage: Hit | None
    is_brief: bool


def search(
    question: str,
    k: int,
    conditions: Filter,
    *,
    embedder: QuestionEncoder,
    library: Searcher,
    config: SearchConfig = DEFAULT,
    reranker: Reranker | None = None,
) -> SearchResult:
    """Find the ``k`` passages that best answer a question, best first.

    Parameters
    ----------
    question
        Plain words, and the filters that :mod:`rag.text.query_parser` understands.
    k
        How many hits, at least 1; fewer if fewer distinct passages are found.
    conditions
        Further filters on documents. They are applied before ranking, so if three passages pass,
        all three are found.
    config
        Weights and depths. All depths grow with ``k``.
    reranker
        A cross-encoder for the best passages. Only those become hits then, with its scores.

    Returns
    -------
    SearchResult
        Passages with the same text are one hit, which names the other sources.

    Raises
    ------
    EmptyQuestion
        If the question has no letter or digit.
    InputError
        If ``k`` is below 1.
    """
    parsed = query_parser.parse(question)
    if not any(character.isalnum() for character in parsed.question):
        raise EmptyQuestion(
            "the question has only conditions: add what to look for, or list all that meets them"
            " with rag ask --all"
            if parsed.conditions or parsed.clauses
            else "the question is empty: ask in plain words, like “Who wrote it?”"
        )
    if k < 1:
        raise InputError(f"the number of hits must be at least 1, not {k}")
    # A word that the model knows is absent rather than misspelt: without planets in the library, a
    # question about a planet must not find planes.
    applied, offered = corrections(
        parsed.question, parsed.exact, library, embedder, leave_words=True
    )
    text = spelling.correct(parsed.question, applied)
    limited = library.filtered((*parsed.conditions, conditions), parsed.clauses)
    deep = config.deep_enough(k)
    lexical = start_lexical(text, deep, limited)
    encoding = embedder.query(text)
    query = EncodedQuery(
        text,
        language(text) if encoding.scale.dense_gap else None,
        script(text) if encoding.scale.dense_gap else None,
        applied,
        constraints(text),
        encoding,
        deep.for_legibility(encoding.legibility),
        limited,
    )
    found = candidates(query, lexical())
    scored = _scored(query, found)
    beside: dict[str, list[str]] = {}
    for one in scored:
        beside.setdefault(one.stored.place[0], []).append(one.stored.text)
    first_stage = None
    if reranker:
        first_stage = next(iter(_hits(group_by_text(scored)[:1], query, found, beside)), None)
        scored = _reranked(query, scored, reranker)
    hits = _hits(group_by_text(scored)[:k], query, found, beside)
    reading = query_parser.describe(parsed, applied if hits else ())
    is_brief = len({term.stems for term in stemmer(ENGLISH).asked(text)}) <= 1
    if hits and is_brief:
        reading += ("One word is hardly a question: say what you want to know about it.",)
    has_conditions = bool(parsed.conditions or parsed.clauses or conditions)
    return SearchResult(
        hits=hits,
        reading=reading,
        alternative=alternative(question, applied, offered),
        conditions_met=bool(hits or not has_conditions or len(limited.matching(""))),
        first_stage=first_stage,
        is_brief=is_brief,
    )


def _scored(query: EncodedQuery, found: Candidates) -> list[ScoredPassage]:
    """Rerank the best candidates of the fusion by late interaction."""
    lexical = scoring.rescale_lexical(found.lexical, query.encoding.legibility)
    fused = scoring.fuse(found.dense, lexical, query.config)
    best = np.argsort(-fused, kind="stable")[: query.config.late_depth]
    missing = [key for key in found.keys[best].tolist() if key not in found.tokens]
    stored = {**found.tokens, **query.library.tokens(missing)}
    kept = [i for i in best.tolist() if int(found.keys[i]) in stored]
    if not kept:
        return []
    read = [stored[int(found.keys[i])] for i in kept]
    matches = late_interaction.match_tokens(
        query.encoding.tokens,
        np.concatenate([one.bits for one in read]),
        [one.counts for one in read],
        [one.title for one in read],
    )
    idf = scoring.idf(*query.library.piece_frequencies(query.encoding.pieces))
    # A question mark is rare in documents, yet says nothing about what is asked.
    weights = np.where(query.encoding.is_word, idf, 0.0)
    late = late_interaction.passage_scores(matches, weights, query.config)
    late = np.minimum(late + query.encoding.scale.late_gap * found.is_foreign[kept], 1.0)
    sentences = late_interaction.sentence_scores(
        matches, weights, query.encoding.continued, query.config
    )
    scores = scoring.combine(fused[kept], late, query.config)
    return [
        ScoredPassage(
            stored=read[n],
            score=float(scores[n]),
            dense=float(found.dense[i]),
            lexical=float(found.lexical[i]),
            late=float(late[n]),
            sentences=sentences[n],
        )
        for n, i in enumerate(kept)
    ]


def _reranked(
    query: EncodedQuery, scored: Sequence[ScoredPassage], reranker: Reranker
) -> list[ScoredPassage]:
    """Rerank the best passages with the cross-encoder."""
    best = best_first(scored)[: query.config.rerank_depth]
    scores = reranker.scores(query.text, [one.stored.text for one in best])
    return [replace(one, score=float(score)) for one, score in zip(best, scores, strict=True)]


def best_first(scored: Sequence[ScoredPassage]) -> list[ScoredPassage]:
    """By descending score; ties are broken by document and position."""
    return sorted(scored, key=lambda one: (-one.score, one.stored.place))


def group_by_text(scored: Sequence[ScoredPassage]) -> list[list[ScoredPassage]]:
    """Passages grouped by text, best first.

    Within a group the order is by document and position: scores of the same text differ only by
    rounding and by the headings above it, which is no reason to prefer one.
    """
    ordered = best_first(scored)
    groups = scoring.group_duplicates([one.stored.text for one in ordered])
    return [
        sorted((ordered[i] for i in group), key=lambda one: one.stored.place) for group in groups
    ]


def _hits(
    groups: Sequence[Sequence[ScoredPassage]],
    query: EncodedQuery,
    found: Candidates,
    beside: Mapping[str, Sequence[str]],
) -> list[Hit]:
    """One hit for each group of passages with the same text.

    Only these are read in full. A passage deleted since it was scored is left out. ``beside`` has
    the texts of all scored passages by document.
    """
    whole = query.library.passages([one.stored.key for group in groups for one in group])
    there = [
        [(one, whole[one.stored.key]) for one in group if one.stored.key in whole]
        for group in groups
    ]
    return [
        _hit(rank, group, query, found, beside)
        for rank, group in enumerate(filter(None, there), start=1)
    ]


def _hit(
    rank: int,
    same: Sequence[tuple[ScoredPassage, StoredPassage]],
    query: EncodedQuery,
    found: Candidates,
    beside: Mapping[str, Sequence[str]],
) -> Hit:
    """The hit for passages with the same text; the first of them is shown."""
    shown, stored = same[0]
    passage = stored.passage
    source, *others = [path for _, one in same for path in one.sources]
    answer = answering_sentence(passage, shown.sentences, query)
    page = passage.page_at(answer.start)
    return Hit(
        rank=rank,
        score=max(one.score for one, _ in same),
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
            meaning=shown.dense,
            words=shown.lexical,
            tokens=shown.late,
            meaning_rank=found.dense_ranks.get(stored.key),
            words_rank=found.lexical_ranks.get(stored.key),
            matched=query.library.analysis.matched(query.text, passage.text),
            instead=query.corrections,
        ),
        page_label=page.label if page else None,
        date_from=stored.date_from,
        unmet=unmet(
            query.constraints,
            _about(stored, (source, *others)),
            beside[passage.document_id],
        ),
        also_in=tuple(dict.fromkeys(path for path in others if path != source)),
    )


def _about(stored: StoredPassage, sources: Sequence[str]) -> Iterator[str]:
    """What says what a passage is about: itself, its headings, and its document's title, file name
    and date, unless that is only when the file was written.
    """
    yield from (stored.passage.text, *stored.passage.headings, stored.title)
    yield from map(file_name, sources)
    if stored.date and stored.date_from != "file time":
        yield stored.date.isoformat()
