"""What must hold of every passage in either engine, and how a violation is reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag.errors import FailureKind
from rag.index.columns import Row
from rag.types.reports import Problem

if TYPE_CHECKING:  # only checks need it
    from pydantic import TypeAdapter

OnProgress: TypeAlias = Callable[[str, int, int], None]
"""Progress callback: what is being checked, how much of it is done, and the total."""

REPAIR = "rag verify --repair rebuilds it"
"""The remedy for derived data."""

HIGHEST_PIECE = 10_000_000
"""Maximum id of a word piece; no model has a vocabulary of this size."""

SHAPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "document": {
            "metadata": dict[str, str],
            "headings": list[tuple[int, int, int]],
            "pages": list[tuple[int, int]],
            "page_labels": list[str],
            "warnings": list[str],
        },
        "file": {"failures": list[tuple[str, str, FailureKind]]},
        "passage": {"pages": list[tuple[int, str | None, int]], "headings": list[str]},
    }
)
"""Columns that hold JSON, by table, and their types."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A defect in the store.

    ``document`` is the id of the document that has it, if one has. ``text`` is whether the document
    itself is affected, its text or metadata; anything else can be derived from it again.
    """

    what: str
    document: str = ""
    text: bool = False

    def problem(self, source: str = "") -> Problem:
        """The defect with its remedy; ``source`` is where its document was found, if known."""
        if not self.text:
            return Problem(self.what, REPAIR, self.document, source)
        remedy = f"index its file again: rag index {source or 'PATH'}"
        return Problem(self.what, remedy, self.document, source, kind="reread")


def after_repair(found: Sequence[Problem], remaining: Sequence[Problem]) -> list[Problem]:
    """The problems ``found`` before a repair, marked as repaired or not, and those ``remaining``
    that appeared only after it, such as in a table that could not be read before.
    """
    before = {replace(one, remedy="") for one in found}
    after = {replace(one, remedy="") for one in remaining}
    marked = [replace(one, repaired=replace(one, remedy="") not in after) for one in found]
    return marked + [one for one in remaining if replace(one, remedy="") not in before]


def fits(content: str, shape: Any) -> bool:  # noqa: ANN401 (a type)
    """Whether a JSON text is strictly of a type."""
    from pydantic import ValidationError

    try:
        _validator(shape).validate_json(content, strict=True)
    except ValidationError:
        return False
    return True


@cache
def _validator(shape: Any) -> TypeAdapter[Any]:  # noqa: ANN401
    from pydantic import TypeAdapter

    return TypeAdapter(shape)


def passage_faults(text: str, row: Row, dimension: int) -> Iterator[str]:
    """Defects of a passage, each worded as the end of a sentence.

    ``text`` is that of its document, and ``row`` has its columns and those of its encoding, with
    vectors as the bytes of their numbers.
    """
    start, end = row["start"], row["end"]
    if start < 0 or text[start:end] != row["text"]:
        yield "differs from the document's text there"
    if not all(fits(row[name], shape) for name, shape in SHAPES["passage"].items()):
        yield "has pages or headings that can't be read"
    try:
        sentences = np.frombuffer(row["sentences"], dtype=np.int32).reshape(-1, 2)
        if not _in_order(sentences, start, end) or not 0 <= row["leading"] <= len(sentences):
            yield "has sentences outside of it"
        if row["vectors"] is None:
            yield "has no vectors"
        else:
            yield from _encoding_faults(len(sentences), row, dimension)
    except ValueError:
        yield "has vectors that can't be read"


def _encoding_faults(sentences: int, row: Row, dimension: int) -> Iterator[str]:
    vectors = np.frombuffer(row["vectors"], dtype=np.float16).reshape(-1, dimension)
    counts = np.frombuffer(row["counts"], dtype=np.int32)
    pieces = np.frombuffer(row["pieces"], dtype=np.int32)
    if len(vectors) != sentences or len(counts) != sentences:
        yield "has more or fewer vectors than sentences"
    lengths = np.linalg.norm(vectors.astype(np.float32), axis=1)
    if not np.allclose(lengths, 1.0, atol=1e-2):  # NaN is not close to 1 either
        yield "has a vector whose length is not 1"
    tokens = len(row["bits"]) / -(-dimension // 8)
    if not counts.sum() == len(pieces) == tokens or (counts < 0).any():
        yield "has more or fewer tokens than recorded"
    if ((pieces < 0) | (pieces > HIGHEST_PIECE)).any():
        yield "has word pieces that no model has"


def _in_order(sentences: NDArray[np.int32], start: int, end: int) -> bool:
    """Whether the sentences are in order, and within the passage."""
    edges = sentences.ravel()
    return bool(
        len(edges) and edges[0] >= start and edges[-1] <= end and (np.diff(edges) >= 0).all()
    )
