"""Ratings of hits, and the current passages that they apply to.

A rating names a passage by its id, which changes when a file is edited or chunked differently. So
it also stores the highlighted sentence: it applies to the passage that has this sentence now. If
none has, the rating is kept but not used.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.errors import DocumentNotFound, EmptyQuestion
from rag.index.engine import Ratings, Reader
from rag.text import query_parser
from rag.types import Hit, Passage, Rating, Span
from rag.types.parts import whole_source


@dataclass(frozen=True, slots=True)
class LocatedRating:
    """A rating, its current passage, and the position of the sentence in the document's text."""

    rating: Rating
    passage: Passage
    answer: Span


def rate(question: str, hit: Hit, *, good: bool | None, ratings: Ratings, store: Reader) -> None:
    """Store whether a hit is right for a question; None deletes the rating.

    Raises
    ------
    EmptyQuestion
        If the question has no letter or digit.
    InputError
        If the question is too long.
    DocumentNotFound
        If the hit's document is not in the library.
    """
    query_parser.check_length(question)
    if not any(character.isalnum() for character in question):
        raise EmptyQuestion("the question is empty: rate a hit for the question that found it")
    if not store.has_document(hit.document_id):
        raise DocumentNotFound(
            f"there is no document {hit.document_id} in this library; ask again, and rate the "
            "passage that is found now"
        )
    rating = Rating(
        question=normalize_question(question),
        passage_id=hit.passage_id,
        document_id=hit.document_id,
        source=hit.source,
        answer=hit.answer,
        good=bool(good),
        score=hit.score,
        time=dt.datetime.now(dt.UTC),
    )
    if good is None:
        ratings.remove(rating)
    else:
        ratings.put(rating)


def normalize_question(question: str) -> str:
    """The question with whitespace collapsed, as ratings store it."""
    return " ".join(question.split())


def locate(ratings: Sequence[Rating], store: Reader) -> list[LocatedRating]:
    """The ratings whose passages are in the library, oldest first.

    If two for the same question now apply to the same passage, the later one counts.

    Parameters
    ----------
    ratings
        Oldest first.
    store
        The library's passages.
    """
    holds: dict[str, list[str]] = {}
    for source in store.sources():
        holds.setdefault(whole_source(source.path), []).append(source.document_id)
    passages: dict[str, list[Passage]] = {}
    found: dict[tuple[str, str], LocatedRating] = {}
    for rating in ratings:
        for document in dict.fromkeys((rating.document_id, *holds.get(rating.source, ()))):
            if document not in passages:
                passages[document] = store.passages_of(document)
            nearest = min(
                _occurrences(rating, passages[document]),
                key=lambda one: abs(one.answer.start - one.rating.answer.start),
                default=None,
            )
            if nearest:
                found.pop((rating.question, nearest.passage.id), None)
                found[rating.question, nearest.passage.id] = nearest
                break
    return list(found.values())


def _occurrences(rating: Rating, passages: Sequence[Passage]) -> Iterator[LocatedRating]:
    """Every occurrence of the sentence, whatever its whitespace, which depends on the file
    reader.
    """
    pattern = re.compile(r"\s+".join(re.escape(word) for word in rating.answer.text.split()))
    for passage in passages:
        for match in pattern.finditer(passage.text):
            yield LocatedRating(rating, passage, Span(*match.span()).shifted(passage.start))
