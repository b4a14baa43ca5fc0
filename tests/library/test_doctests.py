"""The examples in the docstrings work: together they are one session."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest
from three_articles import BREAD, TANKS, WHALES

from rag.library import default, library

SESSION = [
    *("Library.open", "Library.index", "Library.status"),
    *("Library.search", "Library.ask", "Library.find", "retrieve"),
    *("Library.documents", "Library.document", "Library.remove"),
]
"""The functions that are called most, in an order in which a person may call them."""


def test_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each function has an example, and no other does."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_LIBRARY", "my-library")
    Path("articles").mkdir()
    for name, text in {"tank": TANKS, "bread": BREAD, "whales": WHALES}.items():
        Path("articles", f"{name}.txt").write_text(text)
    examples = {
        one.name.removeprefix(f"{module.__name__}."): one
        for module in (library, default)
        for one in doctest.DocTestFinder().find(module)
        if one.examples
    }
    assert set(examples) == set(SESSION)
    runner = doctest.DocTestRunner()
    variables: dict[str, object] = {}
    for name in SESSION:
        examples[name].globs |= variables
        assert runner.run(examples[name], clear_globs=False).failed == 0
        variables["library"] = examples[name].globs["library"]
