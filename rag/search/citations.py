"""Citations that last: from a sentence to what a link says of it, and back, whatever came since.

A link names the document, where in its text the sentence stands, a hash of the sentence, and how
it begins. While the document is as it was, that is all it takes. A document that changed is
another document, so its sentences are looked for in the whole library: word for word first, then
what comes nearest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from rag.text.unicode import plain
from rag.types import Document, Hit, Quote

LONGEST_BEGINNING = 240
"""Characters of a sentence that a link carries: enough to find it, and to tell it from others."""

LEAST_LIKENESS = 65.0
"""Of what may be the sentence, changed: 100 times twice the longest common subsequence of two
sentences by the sum of their lengths. Of 3,000 sentences of SQuAD, nine in ten pairs taken at
random have 27 to 44, and 999 in 1,000 neighbours in a paragraph less than 63."""

LONGEST_QUOTATION = 20_000
"""Characters of what is looked for word for word elsewhere: far more than any sentence. Anybody can
write a link, and it may name any number."""

_MOST_COMPARED = 400_000
"""Characters that are compared with a quotation, over all places in a document that begin like
it: a link that anybody wrote may begin with “the”."""

_DIGITS = 16

CANDIDATES = 10
"""Passages among which a sentence is looked for when its document is no more what it was."""

State: TypeAlias = Literal["unchanged", "moved", "changed", "gone"]


@dataclass(frozen=True, slots=True)
class Citation:
    """A sentence, as a link names it.

    ``start`` and ``end`` are offsets in the text that the document had, ``digest`` the first 16
    hexadecimal digits of the SHA-256 of the sentence, runs of blanks as one, and ``beginning``
    how it begins.
    """

    document_id: str
    start: int
    end: int
    digest: str
    beginning: str


@dataclass(frozen=True, slots=True)
class Followed:
    """Where a citation leads now.

    ``unchanged``: the sentence stands where it stood. ``moved``: it stands elsewhere, word for
    word. ``changed``: another one, much like it, is in its place. ``gone``: there is nothing like
    it; ``document_id`` is then that of its document, if that is still there, and ``quote`` None.
    """

    state: State
    document_id: str | None
    quote: Quote | None


def cited(document_id: str, quote: Quote) -> Citation:
    """The citation of a sentence in the document of that id; a hit's ``answer``, say."""
    words = _plain(quote.text)
    return Citation(document_id, quote.start, quote.end, _digest(words), words[:LONGEST_BEGINNING])


def follow(
    citation: Citation,
    document: Callable[[str], Document | None],
    search: Callable[[str, int], Sequence[Hit]],
) -> Followed:
    """Find the sentence that was cited.

    Parameters
    ----------
    citation
        What the link says.
    document
        The document of an id, or None.
    search
        Hits for a text, so many at most.
    """
    citation = replace(citation, beginning=_plain(plain(citation.beginning))[:LONGEST_BEGINNING])
    own = document(citation.document_id)
    if own and _stands(citation, own.text):
        return Followed("unchanged", own.id, _quote(own, citation.start, citation.end))
    # Marks mean something in a question.
    question = " ".join(re.findall(r"[^\W_]+", citation.beginning))
    hits = search(question, CANDIDATES) if question else []
    ids = [citation.document_id, *dict.fromkeys(hit.document_id for hit in hits)]
    for one in filter(None, map(document, dict.fromkeys(ids))):
        if found := _word_for_word(citation, one):
            return Followed("moved", one.id, found)
    hit = max(hits, key=lambda hit: _likeness(citation, hit.answer.text), default=None)
    if hit and _likeness(citation, hit.answer.text) >= LEAST_LIKENESS:
        return Followed("changed", hit.document_id, hit.answer)
    return Followed("gone", own.id if own else None, None)


def _stands(citation: Citation, text: str) -> bool:
    """Whether the sentence stands where it stood."""
    start, end = citation.start, citation.end
    return 0 <= start < end <= len(text) and _digest(_plain(text[start:end])) == citation.digest


def _word_for_word(citation: Citation, document: Document) -> Quote | None:
    """The sentence in a document, nearest to where it stood, if it is there."""
    length = citation.end - citation.start
    if not citation.beginning or not 0 < length <= LONGEST_QUOTATION:
        return None
    begins = re.compile(r"\s+".join(map(re.escape, citation.beginning.split(" "))))
    starts = [match.start() for match in begins.finditer(document.text)]
    starts.sort(key=lambda start: abs(start - citation.start))
    for start in starts[: max(1, _MOST_COMPARED // length)]:
        end = _end(citation, document.text, start)
        if end is not None:
            return _quote(document, start, end)
    return None


def _end(citation: Citation, text: str, start: int) -> int | None:
    """Where the sentence ends that begins at ``start``, if it is the one that was cited.

    It need not be as long as it was: a run of blanks counts as one.
    """
    length = citation.end - citation.start
    hashed, gap = hashlib.sha256(), ""
    for at, character in enumerate(text[start : start + 2 * length], start + 1):
        if character.isspace():
            gap = " "
            continue
        hashed.update(f"{gap}{character}".encode())
        gap = ""
        if hashed.hexdigest()[:_DIGITS] == citation.digest:
            return at
    return None


def _likeness(citation: Citation, text: str) -> float:
    from rapidfuzz import fuzz

    # A long sentence is known by its beginning only.
    whole = len(citation.beginning) < LONGEST_BEGINNING
    other = _plain(text) if whole else _plain(text)[:LONGEST_BEGINNING]
    return float(fuzz.ratio(citation.beginning.casefold(), other.casefold()))


def _plain(text: str) -> str:
    return " ".join(text.split())


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:_DIGITS]


def _quote(document: Document, start: int, end: int) -> Quote:
    return Quote(document.text[start:end], start, end)
