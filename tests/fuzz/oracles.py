"""What must hold of whatever comes out, however hostile what went in was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise

from rag.documents.loaded import Loaded, Member
from rag.documents.whitespace import one_line, tidy
from rag.types import Document, Failure, Heading, Passage, Span


def loaded_is_sound(loaded: Loaded) -> None:
    """Text is tidy, every span lies in it, and all words can be stored and sent."""
    assert tidy(loaded.text) == loaded.text, "the text is not tidied"
    headings_are_sound(loaded.text, loaded.headings)
    _in_order(loaded.pages, loaded.text)
    assert len(loaded.page_labels) in (0, len(loaded.pages)), "labels for some pages only"
    is_storable([loaded.title or "", *loaded.page_labels, *loaded.warnings])
    is_storable([*loaded.metadata, *loaded.metadata.values()])
    assert all(one_line(warning) for warning in loaded.warnings), "a warning that says nothing"


def headings_are_sound(text: str, headings: Sequence[Heading]) -> None:
    """Each has words of its own, in the order of the text."""
    _in_order([heading.span for heading in headings], text)
    for heading in headings:
        words = heading.span.of(text)
        assert words == one_line(words) != "", "a heading of several lines, or of none"


def member_is_sound(member: Member | Failure) -> None:
    """Its name stays below the file's own; what it holds is bytes, or sound."""
    name = member.name if isinstance(member, Member) else member.source
    is_storable([name])
    if isinstance(member, Failure):
        is_storable([member.reason])
        assert member.reason, "a failure that says nothing"
        return
    parts = name.split("/")
    assert not name.startswith("/"), "an absolute name"
    assert ".." not in parts, "a name that climbs"
    if isinstance(member.content, Loaded):
        loaded_is_sound(member.content)


def document_is_sound(document: Document | Failure) -> None:
    """A document can be sent and stored; a failure says why."""
    if isinstance(document, Failure):
        is_storable([document.source, document.reason])
        assert document.reason, "a failure that says nothing"
        return
    assert document.title == one_line(document.title) != "", "a title of several lines, or none"
    assert any(map(str.isalnum, document.text)), "a document without a word"
    loaded_is_sound(
        Loaded(
            text=document.text,
            title=document.title,
            date=document.date,
            metadata=document.metadata,
            headings=document.headings,
            pages=document.pages,
            page_labels=document.page_labels,
            warnings=document.warnings,
        )
    )


def passages_are_sound(document: Document, found: Sequence[Passage]) -> None:
    """Offsets are exact, sentences lie inside their passage, and no word is lost or doubled."""
    text = document.text
    _in_order([Span(one.start, one.end) for one in found], text)
    for one in found:
        assert text[one.start : one.end] == one.text, "offsets that lie"
        assert one.sentences[0].start == one.start, "words before the first sentence"
        assert one.sentences[-1].end == one.end, "words after the last sentence"
        assert 0 <= one.leading <= len(one.sentences), "more headings than sentences"
        is_covered(text, one.sentences, Span(one.start, one.end))
    is_covered(text, [Span(one.start, one.end) for one in found], Span(0, len(text)))
    assert len({one.id for one in found}) == len(found), "two passages of one id"


def is_covered(text: str, spans: Sequence[Span], within: Span) -> None:
    """The spans don't overlap, none is empty, and between them stand only blanks."""
    _in_order(spans, text)
    assert all(len(span.of(text).strip()) == len(span) > 0 for span in spans), "blanks at an end"
    ends = [within.start, *(span.end for span in spans)]
    starts = [*(span.start for span in spans), within.end]
    between = [text[end:start] for end, start in zip(ends, starts, strict=True)]
    assert not "".join(between).strip(), "words are lost"


def is_storable(words: Iterable[str]) -> None:
    """UTF-8 can say it: SQLite, JSON and a terminal need no more."""
    for one in words:
        assert isinstance(one, str), "no text where text was promised"
        one.encode()
        json.dumps(one)


def _in_order(spans: Sequence[Span], text: str) -> None:
    assert all(span.end <= len(text) for span in spans), "a span beyond the text"
    assert all(one.end <= other.start for one, other in pairwise(spans)), "spans overlap"
