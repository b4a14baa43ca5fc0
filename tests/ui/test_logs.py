"""The lines of a server's log."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder
from served import api

from rag import Library, LibraryBusy
from ui.ops import logs
from ui.pages.filter_form import FilterForm

MOLE = "who is the mole"


def line(
    *, terminal: bool = False, questions: bool = False, error: Exception | None = None, **extra: str
) -> str:
    """A record that was logged with these fields, and with an error if there is one."""
    exc_info = None
    if error is not None:
        try:
            raise error
        except type(error):
            exc_info = sys.exc_info()
    record = logging.getLogger("ui.test").makeRecord(
        "ui.test", logging.INFO, __file__, 1, "request", (), exc_info, extra=dict(extra)
    )
    return logs.formatter(terminal=terminal, questions=questions).format(record)


def test_one_object_a_line() -> None:
    """When and how grave first; then what was given, and nothing that is not expected."""
    told = json.loads(line(route="/documents/{document_id}", address="á", body=MOLE))
    assert list(told)[:3] == ["timestamp", "level", "event"]
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "level": "info",
        "event": "request",
        "logger": "ui.test",
        "route": "/documents/{document_id}",
        "address": "á",
    }


def test_a_line_to_read_on_a_terminal() -> None:
    """The same fields, without braces."""
    told = line(terminal=True, route="/ask")
    assert "request" in told
    assert "/ask" in told
    assert "{" not in told


def test_questions_are_logged_only_when_asked_for() -> None:
    """The question itself."""
    assert MOLE not in line(question=MOLE)
    assert json.loads(line(question=MOLE, questions=True))["question"] == MOLE


@pytest.mark.parametrize("terminal", [True, False])
def test_an_unexpected_error_quotes_nobody(*, terminal: bool) -> None:
    """Its words may be anybody's; kind, place and the words of our own errors are enough."""
    error = ValueError(MOLE)
    error.__cause__ = LibraryBusy("another process is writing")
    told = line(error=error, terminal=terminal)
    assert MOLE not in told
    assert "test_logs.py" in told
    assert "ValueError (its words: --log-questions)" in told
    assert "LibraryBusy: another process is writing" in told
    assert MOLE in line(error=error, terminal=terminal, questions=True)


def test_each_error_of_a_group_is_told() -> None:
    """What tasks raise together comes as a group."""
    told = line(error=ExceptionGroup("two", [KeyError(MOLE), OSError(28, "No space left")]))
    assert MOLE not in told
    assert "KeyError" in told
    assert "No space left" in told


def test_each_search_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever asks: who and how long in any case, what only where that is wanted."""
    caplog.set_level(logging.INFO, logger="ui.ops.logs")
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as library:
        client = api(library)
        for way in ("search", "ask", "find"):
            assert client.get(f"/{way}", params={"q": MOLE}).status_code == 200
        FilterForm().ask(library, MOLE)
    records = [record for record in caplog.records if record.name == "ui.ops.logs"]
    assert [vars(record)["way"] for record in records] == ["search", "ask", "find", "page"]
    private, open_ = (logs.formatter(terminal=False, questions=asked) for asked in (False, True))
    for record in records:
        assert "question" not in json.loads(private.format(record))
        assert json.loads(open_.format(record))["question"] == MOLE
        assert json.loads(open_.format(record))["seconds"] >= 0
