"""Permalinks to sentences: make one, and resolve it even after the document has changed.

A link names the document, the sentence's offsets, a hash of the sentence and its beginning. While
the document is unchanged, that is enough. A changed document is a new document, so the sentence is
then searched for in the whole library: first verbatim, then by similarity.
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
"""Maximum characters of the sentence in a link: enough to find it and to tell it from others."""

LEAST_LIKENESS = 65.0
"""Least similarity to count as a changed version of the sentence: 200 times the length of the
longest common subsequence, divided by the sum of both lengths. Of 3,000 sentences of SQuAD, nine in
ten random pairs have 27 to 44, and 999 in 1,000 pairs of neighbours in a paragraph less than 63."""

LONGEST_QUOTATION = 20_000
"""Maximum characters of a quotation searched for verbatim, far more than any sentence. Links are
untrusted input and may contain any number."""

_MOST_COMPARED = 400_000
"""Maximum characters compared with a quotation, over all positions in a document where its
beginning matches. Links are untrusted input, and one may begin with “the”."""

_DIGITS = 16

CANDIDATES = 10
"""Passages searched for the sentence when its document has changed."""

State: TypeAlias = Literal["unchanged", "moved", "changed", "gone"]


@dataclass(frozen=True, slots=True)
class Citation:
    """The contents of a link to a sentence.

    ``start`` and ``end`` are offsets in the document's text at the time, ``digest`` the first 16
    hexadecimal digits of the SHA-256 of the sentence with whitespace collapsed, and ``beginning``
    its first characters.
    """

    document_id: str
    start: int
    end: int
    digest: str
    beginning: str


@dataclass(frozen=True, slots=True)
class Followed:
    """Where a citation leads now.

    ``unchanged``: the sentence is in the same place. ``moved``: it is elsewhere, verbatim.
    ``changed``: there is only a similar sentence. ``gone``: there is none; ``quote`` is then None,
    and ``document_id`` that of the original document if it still exists.
    """

    state: State
    document_id: str | None
    quote: Quote | None


def cited(document_id: str, quote: Quote) -> Citation:
    """Make a citation of a sentence, such as a hit's ``answer``, in the document with that id."""
    words = _plain(quote.text)
    return Citation(document_id, quote.start, quote.end, _digest(words), words[:LONGEST_BEGINNING])


def follow(
    citation: Citation,
    document: Callable[[str], Document | None],
    search: Callable[[str, int], Sequence[Hit]],
) -> Followed:
    """Find the cited sentence.

    Parameters
    ----------
    citation
        The contents of the link.
    document
        Returns the document with an id, or None.
    search
        Returns at most the given number of hits for a text.
    """
    citation = replace(citation, beginning=_plain(plain(citation.beginning))[:LONGEST_BEGINNING])
    own = document(citation.document_id)
    if own and _stands(citation, own.text):
        return Followed("unchanged", own.id, _quote(own, citation.start, citation.end))
    # Punctuation would be parsed as query syntax.
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
    """Whether the sentence is still at its original offsets."""
    start, end = citation.start, citation.end
    return 0 <= start < end <= len(text) and _digest(_plain(text[start:end])) == citation.digest


def _word_for_word(citation: Citation, document: Document) -> Quote | None:
    """The verbatim occurrence in the document that is nearest to the original offset, if any."""
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
    """The end of the sentence that begins at ``start``, if it is the cited one.

    Its length may differ, since whitespace is collapsed.
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

    # Only the beginning of a long sentence is in the link.
    whole = len(citation.beginning) < LONGEST_BEGINNING
    other = _plain(text) if whole else _plain(text)[:LONGEST_BEGINNING]
    return float(fuzz.ratio(citation.beginning.casefold(), other.casefold()))


def _plain(text: str) -> str:
    return " ".join(text.split())


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:_DIGITS]


def _quote(document: Document, start: int, end: int) -> Quote:
    return Quote(document.text[start:end], start, end)
