"""The results of the MCP tools, as schemas and as short texts. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import rag
from rag import SourcePath
from ui.api.schemas import Shape


class Passage(Shape):
    """A passage and its location; offsets are characters of its document's text."""

    text: str
    title: str
    source: SourcePath
    date: dt.date | None
    page: int | None
    headings: tuple[str, ...]
    document_id: str
    start: int
    end: int


class Hit(Passage):
    """A passage retrieved for a question."""

    answer: str
    """Its best answering sentence, verbatim."""
    score: float
    """In [0, 1]; ranks the passages, and is not a probability."""


class Searched(Shape):
    """The result of ``search``."""

    answered: bool
    """Whether an answer is likely."""
    caution: str
    """A sentence for the reader unless an answer is likely; empty if it is."""
    confidence: float
    """The probability of an answer, in [0, 1]."""
    reading: tuple[str, ...]
    """How the question was interpreted: one line for anything that may be unexpected."""
    alternative: str | None
    """A suggested question: the same without corrections, or with one."""
    conditions_met: bool
    """Whether any passage matches the filters, if there are any."""
    passages: tuple[Hit, ...]


class Listed(Shape):
    """The result of ``find``: a page of the passages that contain all the words."""

    total: int
    """Number of matching passages."""
    documents: int
    """Number of documents with a match."""
    offset: int
    next_offset: int | None
    """The offset of the next page, if there is one."""
    reading: tuple[str, ...]
    """How the words were interpreted: one line for anything that may be unexpected."""
    alternative: str | None
    """A suggested query: the same without corrections, or with one."""
    passages: tuple[Passage, ...]


class Read(Shape):
    """The result of ``read_range``: a range of a document's text."""

    document_id: str
    title: str
    source: SourcePath
    date: dt.date | None
    text: str
    start: int
    end: int
    characters: int
    """The length of the whole text."""
    next_start: int | None
    """Where to continue reading, if there is more."""


def search_result(answer: rag.Answer) -> Searched:
    """Convert an answer to its schema."""
    return Searched(
        answered=answer.answered,
        caution=answer.caution,
        confidence=answer.confidence,
        reading=answer.reading,
        alternative=answer.alternative,
        conditions_met=answer.conditions_met,
        passages=tuple(
            Hit(**_place(hit).model_dump(), answer=hit.answer.text, score=hit.score)
            for hit in answer.hits
        ),
    )


def find_result(found: rag.Found) -> Listed:
    """Convert matches to their schema."""
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


def read_range(document: rag.Document, start: int, characters: int) -> Read:
    """Extract up to ``characters`` of a document's text, from ``start``."""
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
    """Render an answer as text, with answering sentences between » and «."""
    percent = round(100 * found.confidence)
    head = found.caution or f"Probably answered in these documents (confidence {percent} %)."
    if found.caution and found.passages:
        head += " The nearest passages:"
    marked = (_number(n, hit, _mark(hit)) for n, hit in enumerate(found.passages, start=1))
    return "\n\n".join((head, *found.reading, *_instead(found.alternative), *marked))


def list_text(found: Listed) -> str:
    """Render matches as text."""
    head = f"{found.total} passages in {found.documents} documents."
    more = () if found.next_offset is None else (f"More with offset {found.next_offset}.",)
    numbered = (
        _number(n, one, one.text) for n, one in enumerate(found.passages, start=found.offset + 1)
    )
    return "\n\n".join((head, *found.reading, *_instead(found.alternative), *numbered, *more))


def read_text(stretch: Read) -> str:
    """Render a range of a document with its source, and where to continue."""
    facts = _join((stretch.title, stretch.source, stretch.date))
    head = f"{facts}, characters {stretch.start} to {stretch.end} of {stretch.characters}"
    more = () if stretch.next_start is None else (f"Continues at start {stretch.next_start}.",)
    return "\n\n".join((head, stretch.text, *more))


def _instead(alternative: str | None) -> tuple[str, ...]:
    return (f"Another question worth asking: {alternative}",) if alternative else ()


def _place(found: rag.Hit | rag.Match) -> Passage:
    return Passage.model_validate(found)


def _number(number: int, passage: Passage, text: str) -> str:
    page = None if passage.page is None else f"page {passage.page}"
    facts = _join((passage.title, passage.source, page, passage.date, *passage.headings))
    where = f"document {passage.document_id}, characters {passage.start} to {passage.end}"
    return f"{number}. {facts}\n[{where}]\n{text}"


def _mark(hit: Hit) -> str:
    before, answer, after = hit.text.partition(hit.answer)
    return f"{before}»{answer}«{after}" if answer else hit.text


def _join(facts: Iterable[object]) -> str:
    return " · ".join(str(fact) for fact in facts if fact)
