"""Character spans of documents, and their overlap. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """A half-open range in a document, in non-blank characters."""

    document: str
    start: int
    end: int

    def holds(self, other: Stretch) -> bool:
        """Whether the other span lies within this one."""
        inside = self.start <= other.start and other.end <= self.end
        return self.document == other.document and inside


@dataclass(frozen=True, slots=True)
class Overlap:
    """How well retrieved text covers the gold text; all in [0, 1]."""

    recall: float
    precision: float
    iou: float


def overlap(gold: Sequence[Stretch], found: Sequence[Stretch]) -> Overlap:
    """Character-level recall, precision and intersection over union.

    With G the gold text, each character once, F the retrieved text, a character that was retrieved
    twice counted twice, and I the characters of G that were retrieved::

        recall = I / G      precision = I / F      IoU = I / (F + G - I)

    Smith and Troynikov, "Evaluating chunking strategies for retrieval", Chroma technical report,
    2024. Their code counts characters too, and calls them tokens.

    Parameters
    ----------
    gold
        At least one span, none empty; they may overlap.
    found
        The retrieved spans. If there are none, everything is 0.
    """
    wanted = merged(gold)
    retrieved = merged(found)
    shared = sum(_shared(one, other) for one in wanted for other in retrieved)
    total = sum(one.end - one.start for one in wanted)
    taken = sum(one.end - one.start for one in found)
    return Overlap(
        recall=shared / total,
        precision=shared / taken if taken else 0.0,
        iou=shared / (taken + total - shared),
    )


def merged(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The union of spans, as disjoint, non-adjacent spans in order."""
    found: list[Stretch] = []
    for one in sorted(stretches):
        last = found[-1] if found else None
        if last and last.document == one.document and one.start <= last.end:
            found[-1] = Stretch(last.document, last.start, max(last.end, one.end))
        else:
            found.append(one)
    return found


def _shared(one: Stretch, other: Stretch) -> int:
    if one.document != other.document:
        return 0
    return max(0, min(one.end, other.end) - max(one.start, other.start))
