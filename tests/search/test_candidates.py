"""Searching a large library: the lexical index beside the model and the store."""

from __future__ import annotations

import os

import pytest
from test_package import python
from three_articles import QUESTIONS

from rag import Library
from rag.search import candidates


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_after_a_fork_there_are_others() -> None:
    """The threads are the parent's, and the child doesn't wait for them."""
    run = python(
        "import os\n"
        "from rag.search.candidates import run_in_background\n"
        "run_in_background(int)()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(run_in_background(lambda: 7)())\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert run.stdout == "7\n", run.stderr


def test_large_libraries_answer_as_small_ones(
    seeds: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They find the same, to the last bit; and an error in the lexical search is raised."""
    questions = [*QUESTIONS, "zzqxv wvvkq?"]  # the last of words that no passage has
    expected = [seeds.search(question, 3) for question in questions]
    monkeypatch.setattr(candidates, "LARGE_LIBRARY", 0)
    names = []
    run = candidates.run_in_background
    monkeypatch.setattr(
        candidates, "run_in_background", lambda call: names.append(call) or run(call)
    )
    assert [seeds.search(question, 3) for question in questions] == expected
    assert len(names) == 2 * len(questions)

    def broken(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(candidates, "_lexical", broken)
    with pytest.raises(OSError, match="the disk is gone"):
        seeds.search(next(iter(QUESTIONS)))
