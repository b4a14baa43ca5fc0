"""A clock that is set, ahead or back, changes nothing: what lasts is measured by one that can't be
set, and files are compared, not ordered, by their times.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder
from lacking import skip_unless_in_ci

from rag import Library, LibraryBusy
from rag.index.folder import locked
from ui.security.login import Sessions
from ui.security.policy import ANYBODY, FIRST_WAIT, FREE_ATTEMPTS
from ui.security.rate_limit import Backoff, TokenBuckets


@pytest.mark.parametrize("jump", [3600, -3600, 86400, -86400])
def test_sessions_rates_and_locks(
    jump: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None ends early, none lasts longer."""
    real = time.time

    def set_clock() -> None:
        monkeypatch.setattr(time, "time", lambda: real() + jump)
        monkeypatch.setattr(time, "time_ns", lambda: int((real() + jump) * 1e9))

    sessions, buckets, backoff = Sessions(), TokenBuckets(0.01, 1.0), Backoff()
    number = sessions.begin(ANYBODY)
    assert buckets.take("a") == 0
    for _ in range(FREE_ATTEMPTS):
        assert backoff.attempt("a") == 0
    set_clock()
    assert sessions.find(number) == ANYBODY
    assert 90 < buckets.take("a") <= 100, "it neither fills at once nor stays empty for long"
    assert 20 < backoff.attempt("a") <= FIRST_WAIT
    monkeypatch.undo()
    (tmp_path / "library.db").touch()  # only a library is locked
    with locked(tmp_path):
        began = time.monotonic()
        threading.Timer(0.2, set_clock).start()
        with pytest.raises(LibraryBusy), locked(tmp_path, 1.0):
            pass
    assert 0.9 < time.monotonic() - began < 20


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_file_that_was_written_by_another_clock(hours: int, tmp_path: Path) -> None:
    """It has changed if its time is another one, be that earlier; and if not, it has not."""
    article = tmp_path / "article.txt"
    article.write_text("The heron counts frogs.")
    written = article.stat().st_mtime_ns
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as library:
        library.index(article)
        article.write_text("The egret counts frogs.")
        os.utime(article, ns=(written, written + hours * 3600 * 10**9))
        assert library.index(article).updated == (str(article),)
        assert library.index(article).unchanged == (str(article),)
        assert "egret" in library.search("frogs")[0].text


def test_a_file_whose_time_can_not_be_kept(tmp_path: Path) -> None:
    """It is read like any other, and again when it has changed."""
    article, other = tmp_path / "article.txt", tmp_path / "other.txt"
    other.write_text("Bread is baked.")
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as library:
        for text, came in (
            ("The heron counts frogs.", "added"),
            ("The egret counts them.", "updated"),
        ):
            article.write_text(text)
            os.utime(article, (10**10, 10**10))
            if article.stat().st_mtime_ns < 2**63:
                skip_unless_in_ci("this file system knows no such time")
            report = library.index([article, other])
            assert str(article) in getattr(report, came)
            assert report.failed == ()
        assert library.index(article).unchanged == (str(article),)
        assert library.search("egret")[0].date.year == 2262
