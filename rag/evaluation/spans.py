"""Relevance by answer spans: where they and hits stand in the documents of a labelled set.

Reading normalizes a text: white space is collapsed, combining marks are composed, stray characters
are dropped. So offsets in a set's texts and in the library's are compared by counting the non-blank
characters of the normalized text before them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from rag.documents.whitespace import normalize_whitespace
from rag.errors import InputError
from rag.evaluation.corpus import Corpus
from rag.evaluation.labelled_sets import GoldSpan, Question
from rag.evaluation.relevance import TOP, Judge, passage
from rag.types import Document, Hit, Quote


@dataclass(frozen=True, slots=True)
class TextRange:
    """A half-open range of a document, in non-blank characters."""

    document: str
    start: int
    end: int

    def contains(self, other: TextRange) -> bool:
        """Whether the other range lies within this one."""
        inside = self.start <= other.start and other.end <= self.end
        return self.document == other.document and inside

    def characters(self) -> set[tuple[str, int]]:
        """Its characters, each by document and position."""
        return {(self.document, position) for position in range(self.start, self.end)}


def overlap(gold: Sequence[TextRange], found: Sequence[TextRange]) -> tuple[float, float, float]:
    """Character-level recall, precision and intersection over union, all in [0, 1].

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
    wanted = {place for one in gold for place in one.characters()}
    retrieved = {place for one in found for place in one.characters()}
    shared, total = len(wanted & retrieved), len(wanted)
    taken = sum(one.end - one.start for one in found)
    return shared / total, shared / taken if taken else 0.0, shared / (taken + total - shared)


@dataclass
class SpanJudge(Judge):
    """For queries labelled with answer spans, any of which is sufficient.

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

    def is_relevant(self, question: Question, hit: Hit, part: Quote) -> bool:
        """Whether the part contains a gold span."""
        found = self.locate(hit, part)
        return any(found.contains(self.gold(span)) for span in question.spans)

    def names(self, hit: Hit) -> Sequence[str]:
        """The ids of all documents that contain the passage of a hit, the one shown first."""
        return self.corpus.names(hit)

    def coverage(self, question: Question, hits: Sequence[Hit]) -> dict[str, float]:
        """How much of the gold text the top hits cover, and whether they cover all of it."""
        gold = [self.gold(span) for span in question.spans]
        found = [self.locate(hit, passage(hit)) for hit in hits[:TOP]]
        recall, precision, iou = overlap(gold, found)
        covered = all(any(one.contains(span) for one in found) for span in gold)
        return {
            f"all answers in {TOP} hits": float(covered),
            f"text recall@{TOP}": recall,
            f"text precision@{TOP}": precision,
            f"text IoU@{TOP}": iou,
        }

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

    def locate(self, hit: Hit, part: Quote) -> TextRange:
        """Locate a part of a hit, such as its highlighted sentence."""
        text = self.corpus.of_source(hit.source).text
        if hit.document_id not in self._offsets:
            self._count(text, self.parts(self.document(hit.document_id)))
        offsets = self._offsets[hit.document_id]
        return TextRange(self._first_of[text], offsets[part.start], offsets[part.end])

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
