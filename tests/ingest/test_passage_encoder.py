"""What is handed to the model, and how far ahead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder

from rag import Library
from rag.ingest import passage_encoder
from rag.ingest.passage_encoder import Encoder
from rag.text.chunking import passages
from rag.types import Document, Passage, PassageEncoding


class Counting(HashingEmbedder):
    """It knows how many passages it was given."""

    given = 0

    def passages(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        """The same encodings."""
        for one in passages:
            self.given += 1
            yield from super().passages([one])


def _passages(name: str, text: str) -> list[Passage]:
    return passages(Document(name, name, name, text, name), HashingEmbedder())


@pytest.fixture
def encoder(tmp_path: Path) -> Iterator[Encoder]:
    """One for an empty library."""
    embedder = Counting()
    with (
        Library.open(tmp_path / "library", embedder=embedder) as library,
        closing(Encoder(embedder, library.engine.reader)) as opened,
    ):
        yield opened


def test_the_same_words_in_three_batches_in_a_row(encoder: Encoder) -> None:
    """The last finds what the first was given, though the first is done when it begins."""
    one, other, third = (_passages(name, "The ferry leaves at noon.") for name in "abc")
    first, second = encoder.begin(one), encoder.begin(other)
    found = [*first]
    last = encoder.begin(third)
    found += [*second, *last]
    assert (encoder.embedded, encoder.reused) == (1, 2)
    assert all(each is found[0] for each in found)


def test_the_model_waits_for_what_it_made_to_be_taken(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a long document, only some batches are in memory."""
    monkeypatch.setattr(passage_encoder, "BATCH_PASSAGES", 4)
    found = _passages("a", "\n\n".join(f"Ferry {n}. " + "It waits. " * 40 for n in range(60)))
    assert len(found) > 50
    encodings = encoder.begin(found)
    next(encodings)
    encoder._latest.result()  # type: ignore[union-attr]  # the model has done what it may
    assert encoder._embedder.given <= 4 * passage_encoder.BATCHES_BEGUN  # type: ignore[attr-defined]
    assert len([*encodings]) == len(found) - 1
