"""What assistants are told: passages and where they stand, as shapes and as short texts. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import rag
from ui.api.schemas import Shape, Source


class Passage(Shape):
    """A passage and where it stands; offsets are characters of its document's text."""

    text: str
    title: str
    source: Source
    date: dt.date | None
    page: int | None
    headings: tuple[str, ...]
    document_id: str
    start: int
    end: int


class Hit(Passage):
    """A passage that was found for a question."""

    answer: str
    """Its sentence that answers best, word for word."""
    score: float
    """In [0, 1]; it orders the passages, and is no probability."""


class Searched(Shape):
    """What a library says to a question."""

    answered: bool
    """Whether the question is probably answered; otherwise these are only the nearest passages."""
    confidence: float
    """The probability of it, in [0, 1]."""
    reading: tuple[str, ...]
    """How the question was read: a line for each thing that may surprise."""
    alternative: str | None
    """Another question worth asking: the same without corrections, or with one."""
    conditions_met: bool
    """Whether any passage meets the conditions, if there are some."""
    passages: tuple[Hit, ...]


class Listed(Shape):
    """Every passage that has all of the words, a page of them."""

    total: int
    """How many there are."""
    documents: int
    """In how many documents."""
    offset: int
    next_offset: int | None
    """Where the next page begins, if there is one."""
    reading: tuple[str, ...]
    """How the words were read: a line for each thing that may surprise."""
    alternative: str | None
    """Other words worth looking for: the same without corrections, or with one."""
    passages: tuple[Passage, ...]


class Read(Shape):
    """A stretch of a document's text."""

    document_id: str
    title: str
    source: Source
    date: dt.date | None
    text: str
    start: int
    end: int
    characters: int
    """The length of the whole text."""
    next_start: int | None
    """Where to read on, if there is more."""


def searched(answer: rag.Answer) -> Searched:
    """An answer as a shape."""
    return Searched(
        answered=answer.answered,
        confidence=answer.confidence,
        reading=answer.reading,
        alternative=answer.alternative,
        conditions_met=answer.conditions_met,
        passages=tuple(
            Hit(**_place(hit).model_dump(), answer=hit.answer.text, score=hit.score)
            for hit in answer.hits
        ),
    )


def listed(found: rag.Found) -> Listed:
    """Matches as a shape."""
    after = found.offset + len(found.matches)
    return Listed(
        total=found.passages,
        documents=len(found.documents),
        offset=found.offset,
        next_offset=after if found.matches and after < found.passages else None,
        reading=found.reading,
        alternative=found.alternative,
        passages=tuple(map(_place, found.matches)),
    )


def read(document: rag.Document, start: int, characters: int) -> Read:
    """The ``characters`` of a document's text from ``start`` on, or as many as there are."""
    whole = len(document.text)
    first = min(start, whole)
    last = min(first + characters, whole)
    return Read(
        document_id=document.id,
        title=document.title,
        source=document.source,
        date=document.date,
        text=document.text[first:last],
        start=first,
        end=last,
        characters=whole,
        next_start=last if last < whole else None,
    )


def search_text(found: Searched) -> str:
    """An answer to be read, its sentences between » and «."""
    if not found.conditions_met:
        return "No document meets all of these conditions."
    percent = round(100 * found.confidence)
    head = (
        f"Probably answered in these documents (confidence {percent} %)."
        if found.answered
        else f"Probably not in these documents (confidence {percent} %). The nearest passages:"
        if found.passages
        else "Probably not in these documents: no passage has any of these words."
    )
    marked = (_numbered(n, hit, _marked(hit)) for n, hit in enumerate(found.passages, start=1))
    return "\n\n".join((head, *found.reading, *_instead(found.alternative), *marked))


def list_text(found: Listed) -> str:
    """Matches to be read."""
    head = f"{found.total} passages in {found.documents} documents."
    more = () if found.next_offset is None else (f"More with offset {found.next_offset}.",)
    numbered = (
        _numbered(n, one, one.text) for n, one in enumerate(found.passages, start=found.offset + 1)
    )
    return "\n\n".join((head, *found.reading, *_instead(found.alternative), *numbered, *more))


def read_text(stretch: Read) -> str:
    """A stretch of text with what it is from, and where it goes on."""
    facts = _joined((stretch.title, stretch.source, stretch.date))
    head = f"{facts}, characters {stretch.start} to {stretch.end} of {stretch.characters}"
    more = () if stretch.next_start is None else (f"Goes on at start {stretch.next_start}.",)
    return "\n\n".join((head, stretch.text, *more))


def _instead(alternative: str | None) -> tuple[str, ...]:
    return (f"Another question worth asking: {alternative}",) if alternative else ()


def _place(found: rag.Hit | rag.Match) -> Passage:
    return Passage.model_validate(found)


def _numbered(number: int, passage: Passage, text: str) -> str:
    page = None if passage.page is None else f"page {passage.page}"
    facts = _joined((passage.title, passage.source, page, passage.date, *passage.headings))
    where = f"document {passage.document_id}, characters {passage.start} to {passage.end}"
    return f"{number}. {facts}\n[{where}]\n{text}"


def _marked(hit: Hit) -> str:
    before, answer, after = hit.text.partition(hit.answer)
    return f"{before}»{answer}«{after}" if answer else hit.text


def _joined(facts: Iterable[object]) -> str:
    return " · ".join(str(fact) for fact in facts if fact)
