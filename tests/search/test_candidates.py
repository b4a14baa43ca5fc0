"""A call beside its caller, and a search that makes two."""

from __future__ import annotations

import os
import threading

import pytest
from test_package import python
from three_articles import QUESTIONS

from rag import Library
from rag.search import candidates


def test_it_goes_on_meanwhile_and_gives_its_result() -> None:
    """The caller goes on before it has ended, and gets what it returns, as often as asked."""
    go_on = threading.Event()
    result = candidates.run_in_background(lambda: (go_on.wait(30), threading.current_thread()))
    go_on.set()
    assert result() == result()
    waited, thread = result()
    assert waited
    assert thread is not threading.current_thread()


def test_threads_are_kept() -> None:
    """One that has ended its call takes the next: starting one takes longer than most calls."""
    found = {candidates.run_in_background(threading.get_ident)() for _ in range(20)}
    assert len(found) < 20


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


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_what_it_raises_is_raised_to_who_waits(error: BaseException) -> None:
    """Whatever it is."""

    def fails() -> None:
        raise error

    result = candidates.run_in_background(fails)
    with pytest.raises(type(error)):
        result()


def test_large_libraries_answer_as_small_ones(
    seeds: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The word index beside the model and the store finds the same, to the last bit; and what goes
    wrong in it is told.
    """
    questions = [*QUESTIONS, "zzqxv wvvkq?"]  # the last of words that no passage has
    expected = [seeds.search(question, 3) for question in questions]
    monkeypatch.setattr(candidates, "MANY", 0)
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
