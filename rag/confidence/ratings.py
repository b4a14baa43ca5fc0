"""What readers say of hits: kept as it was said, and found again in the library of today.

A rating names a passage by its id, and that changes when a file is read anew or edited. So it
keeps the sentence that was marked, too: the passage that has this sentence now is the one that
is meant. Where none has, the rating stays and is of no use.
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
class Placed:
    """A rating, the passage that it is about now, and where the quotation stands in the document's
    text.
    """

    rating: Rating
    passage: Passage
    answer: Span


def rate(question: str, hit: Hit, *, good: bool | None, ratings: Ratings, store: Reader) -> None:
    """Keep whether a hit is right for a question; with None forget what was said of it.

    Raises
    ------
    EmptyQuestion
        If there is no letter and no digit in the question.
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
        question=asked(question),
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


def asked(question: str) -> str:
    """The question as a rating has it: blanks make no difference."""
    return " ".join(question.split())


def placed(ratings: Sequence[Rating], store: Reader) -> list[Placed]:
    """Those of the ratings whose passages are in the library, the earliest first.

    Two that are about one passage by now, for one question, are the later one.

    Parameters
    ----------
    ratings
        The earliest first.
    store
        Where the passages are.
    """
    holds: dict[str, list[str]] = {}
    for source in store.sources():
        holds.setdefault(whole_source(source.path), []).append(source.document_id)
    passages: dict[str, list[Passage]] = {}
    found: dict[tuple[str, str], Placed] = {}
    for rating in ratings:
        for document in dict.fromkeys((rating.document_id, *holds.get(rating.source, ()))):
            if document not in passages:
                passages[document] = store.passages_of(document)
            nearest = min(
                _places(rating, passages[document]),
                key=lambda one: abs(one.answer.start - one.rating.answer.start),
                default=None,
            )
            if nearest:
                found.pop((rating.question, nearest.passage.id), None)
                found[rating.question, nearest.passage.id] = nearest
                break
    return list(found.values())


def _places(rating: Rating, passages: Sequence[Passage]) -> Iterator[Placed]:
    """Everywhere that the quotation stands; a better reader may have set its blanks otherwise."""
    pattern = re.compile(r"\s+".join(re.escape(word) for word in rating.answer.text.split()))
    for passage in passages:
        for match in pattern.finditer(passage.text):
            yield Placed(rating, passage, Span(*match.span()).shifted(passage.start))
