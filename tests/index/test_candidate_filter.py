"""What may be found, against going through all passages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.index.lexical import Entry, TantivyIndex, TantivyReader
from rag.index.local_engine import apply_clauses
from rag.types import Clauses

WORDS = ["tank", "gun", "ship", "mine"]
TEXTS = {
    key: " ".join(word for bit, word in enumerate(WORDS) if key >> bit & 1) for key in range(1, 16)
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> TantivyReader:
    """Fifteen passages, each with other words."""
    index = TantivyIndex.create(tmp_path_factory.mktemp("library") / "words")
    index.update([], [Entry(key, text, "") for key, text in TEXTS.items()])
    return index.reader()


words = st.lists(st.sampled_from([*WORDS, "balloon"]), max_size=3)


@settings(deadline=None)
@given(phrases=words, without=words)
def test_clauses(made: TantivyReader, phrases: list[str], without: list[str]) -> None:
    """Whichever list is shorter is made, the same passages are left."""
    among, but = apply_clauses(None, Clauses(tuple(phrases), tuple(without)), made)
    left = set(TEXTS) if among is None else set(among.tolist())
    assert left - set(but.tolist()) == {
        key
        for key, text in TEXTS.items()
        if all(word in text for word in phrases) and not any(word in text for word in without)
    }
    assert but.tolist() == sorted(set(but.tolist()))
