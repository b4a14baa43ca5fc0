"""Where gold spans and hits stand in the documents of a labelled set, and how they overlap.

Reading normalizes a text: white space is collapsed, combining marks are composed, stray characters
are dropped. So offsets in a set's texts and in the library's are compared by counting the non-blank
characters of the normalized text before them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from rag.documents.whitespace import normalize_whitespace
from rag.errors import InputError
from rag.evaluation.corpus import Corpus
from rag.evaluation.labelled_sets import GoldSpan
from rag.types import Document, Hit, Quote


@dataclass(frozen=True, slots=True, order=True)
class TextRange:
    """A half-open range of a document, in non-blank characters."""

    document: str
    start: int
    end: int

    def contains(self, other: TextRange) -> bool:
        """Whether the other range lies within this one."""
        inside = self.start <= other.start and other.end <= self.end
        return self.document == other.document and inside


class Overlap(NamedTuple):
    """How well retrieved text covers the gold text; all in [0, 1]."""

    recall: float
    precision: float
    iou: float


def overlap(gold: Sequence[TextRange], found: Sequence[TextRange]) -> Overlap:
    """Character-level recall, precision and intersection over union.

    With G the gold text, each character once, F the retrieved text, a character that was retrieved
    twice counted twice, and I the characters of G that were retrieved::

        recall = I / G      precision = I / F      IoU = I / (F + G - I)

    Smith and Troynikov, "Evaluating chunking strategies for retrieval", Chroma technical report,
    2024. Their code counts characters too, and calls them tokens.

    Parameters
    ----------
    gold
        At least one range, none empty; they may overlap.
    found
        The retrieved ranges. If there are none, everything is 0.
    """
    wanted, retrieved = merged(gold), merged(found)
    shared = sum(
        max(0, min(one.end, other.end) - max(one.start, other.start))
        for one in wanted
        for other in retrieved
        if one.document == other.document
    )
    total = sum(one.end - one.start for one in wanted)
    taken = sum(one.end - one.start for one in found)
    return Overlap(
        shared / total, shared / taken if taken else 0.0, shared / (taken + total - shared)
    )


def merged(ranges: Sequence[TextRange]) -> list[TextRange]:
    """The union of ranges, as disjoint, non-adjacent ranges in order."""
    found: list[TextRange] = []
    for one in sorted(ranges):
        last = found[-1] if found else None
        if last and last.document == one.document and one.start <= last.end:
            found[-1] = TextRange(last.document, last.start, max(last.end, one.end))
        else:
            found.append(one)
    return found


@dataclass(slots=True)
class SpanLocator:
    """Locates gold spans and hits in the documents of a set.

    Documents with the same text are treated as one: a passage of either is relevant. ``document``
    returns the library's document by id, and ``parts`` the ids of all parts of a split document.
    """

    corpus: Corpus
    document: Callable[[str], Document]
    parts: Callable[[Document], Sequence[str]] = lambda document: (document.id,)
    _first_of: dict[str, str] = field(default_factory=dict)
    _gold: dict[GoldSpan, TextRange] = field(default_factory=dict)
    _offsets: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.corpus.documents.values():
            self._first_of.setdefault(one.text, one.id)

    def gold(self, span: GoldSpan) -> TextRange:
        """Locate a gold span.

        Raises
        ------
        InputError
            If it is blank.
        """
        if span not in self._gold:
            text = self.corpus.documents[span.document].text
            start, end = (len(_solid(text[:at])) for at in (span.span.start, span.span.end))
            if start == end:
                raise InputError(
                    f"the answer span {span.span.start}-{span.span.end} of document "
                    f"{span.document} covers only blanks; mend it"
                )
            self._gold[span] = TextRange(self._first_of[text], start, end)
        return self._gold[span]

    def quote(self, hit: Hit, quote: Quote) -> TextRange:
        """Locate a part of a hit, such as its highlighted sentence."""
        text = self.corpus.of_source(hit.source).text
        if hit.document_id not in self._offsets:
            self._count(text, self.parts(self.document(hit.document_id)))
        offsets = self._offsets[hit.document_id]
        return TextRange(self._first_of[text], offsets[quote.start], offsets[quote.end])

    def _count(self, text: str, parts: Sequence[str]) -> None:
        """Count the non-blank characters before each offset in the parts of a document."""
        texts = [self.document(part).text for part in parts]
        sizes = [sum(not one.isspace() for one in part) for part in texts]
        # The text of each part begins with the title.
        above = (sum(sizes) - len(_solid(text))) // len(parts)
        before = -above
        for part, of_part, size in zip(parts, texts, sizes, strict=True):
            counts = accumulate((not one.isspace() for one in of_part), initial=before)
            self._offsets[part] = list(counts)
            before += size - above


def _solid(text: str) -> str:
    return "".join(normalize_whitespace(text).split())
