"""Passages → encodings: from the store where the same words were encoded before, else by the model.

A document that grew or was edited, a record in a file of records, a text that several files hold:
only what is new costs the model's time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.protocols import Embedder
from rag.store import StoreReader
from rag.types import Passage, PassageEncoding


@dataclass(slots=True)
class Encoder:
    """Gives passages their encodings, and counts them.

    ``embedded`` went through the model, ``reused`` had been through it before.
    """

    embedder: Embedder
    reader: StoreReader
    embedded: int = 0
    reused: int = 0

    def encoded(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        """One encoding a passage, in the same order; the model runs as they are taken."""
        # Looked up now: as they are taken, the store may replace what they are found in.
        known = self.reader.encodings(passages)
        first_of: dict[tuple[object, ...], int] = {}
        same = [first_of.setdefault(_content(one), n) for n, one in enumerate(passages)]
        new = [passages[n] for n in first_of.values() if n not in known]
        return self._taken(same, known, self.embedder.passages(new))

    def _taken(
        self, same: list[int], known: dict[int, PassageEncoding], fresh: Iterator[PassageEncoding]
    ) -> Iterator[PassageEncoding]:
        """For each passage that of the first one with the same content."""
        for first in same:
            if first in known:
                self.reused += 1
            else:
                known[first] = next(fresh)
                self.embedded += 1
            yield known[first]


def _content(passage: Passage) -> tuple[object, ...]:
    """All that a passage's encoding depends on."""
    return passage.text, *(span.shifted(-passage.start) for span in passage.sentences)
