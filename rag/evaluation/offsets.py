"""Align offsets in a labelled set's texts with offsets in the library's.

Reading normalizes a text: white space is collapsed, combining marks are composed, stray characters
are dropped. So both sides count the non-blank characters of the normalized text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from rag.documents.whitespace import normalize_whitespace, tidy
from rag.errors import InputError
from rag.evaluation.corpus import Corpus
from rag.evaluation.labelled_sets import GoldSpan, SetDocument
from rag.evaluation.spans import Stretch
from rag.types import Document, Hit


@dataclass(slots=True)
class Places:
    """Maps gold spans and hits to common offsets.

    Documents with the same text are treated as one: a passage of either is relevant. ``document``
    returns the library's document by id, and ``parts`` the ids of all parts of a split document.
    """

    corpus: Corpus
    document: Callable[[str], Document]
    parts: Callable[[Document], Sequence[str]] = lambda document: (document.id,)
    _first_of: dict[str, str] = field(default_factory=dict)
    _gold: dict[str, list[int]] = field(default_factory=dict)
    _found: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.corpus.documents.values():
            self._first_of.setdefault(one.text, one.id)

    def gold(self, span: GoldSpan) -> Stretch:
        """Locate a gold span.

        Raises
        ------
        InputError
            If it is blank.
        """
        document = self.corpus.documents[span.document]
        if document.id not in self._gold:
            self._gold[document.id] = _counts_of_untidied(document.text)
        counts = self._gold[document.id]
        found = self._stretch(document, counts, span.span.start, span.span.end)
        if found.start == found.end:
            raise InputError(
                f"the answer span {span.span.start}-{span.span.end} of document {document.id} "
                "covers only blanks; mend it"
            )
        return found

    def hit(self, hit: Hit) -> Stretch:
        """Locate the passage of a hit."""
        return self._of(hit, hit.start, hit.end)

    def answer(self, hit: Hit) -> Stretch:
        """Locate the highlighted sentence of a hit."""
        return self._of(hit, hit.answer.start, hit.answer.end)

    def _of(self, hit: Hit, start: int, end: int) -> Stretch:
        document = self.corpus.of_source(hit.source)
        if hit.document_id not in self._found:
            self._count(document, self.parts(self.document(hit.document_id)))
        return self._stretch(document, self._found[hit.document_id], start, end)

    def _count(self, document: SetDocument, parts: Sequence[str]) -> None:
        texts = [self.document(part).text for part in parts]
        sizes = [len(_solid(text)) for text in texts]
        # The text of each part begins with the title.
        above = (sum(sizes) - len(_solid(tidy(document.text)))) // len(parts)
        before = 0
        for part, text, size in zip(parts, texts, sizes, strict=True):
            self._found[part] = [before + count - above for count in _counts(text)]
            before += size - above

    def _stretch(self, document: SetDocument, counts: list[int], start: int, end: int) -> Stretch:
        return Stretch(self._first_of[document.text], counts[start], counts[end])


def _counts(text: str) -> list[int]:
    """The number of non-blank characters before each offset."""
    return [0, *accumulate(not one.isspace() for one in text)]


def _counts_of_untidied(text: str) -> list[int]:
    """The same for a text before normalization."""
    if _solid(tidy(text)) == _solid(text):
        return _counts(text)
    # Something was dropped or composed: normalize piece by piece. A letter and its combining marks
    # are one piece, since they are composed together.
    counts, before = [], 0
    for piece in _pieces(text):
        after = before + len(_solid(normalize_whitespace(piece)))
        counts += [before, *[after] * (len(piece) - 1)]
        before = after
    return [*counts, before]


def _pieces(text: str) -> list[str]:
    """Split a text into letters, each with its combining marks."""
    pieces: list[str] = []
    for one in text:
        if pieces and not one.isascii() and _is_composed(pieces[-1], one):
            pieces[-1] += one
        else:
            pieces.append(one)
    return pieces


def _is_composed(piece: str, one: str) -> bool:
    composed = unicodedata.normalize("NFC", piece + one)
    apart = unicodedata.normalize("NFC", piece) + unicodedata.normalize("NFC", one)
    return unicodedata.combining(one) > 0 or composed != apart


def _solid(text: str) -> str:
    return "".join(text.split())
