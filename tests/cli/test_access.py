"""``rag password`` and what ``rag serve`` refuses to begin."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from commands import rag
from test_cli import is_one_clear_line

from ui.security import accounts

PASSWORD = "a tank, a whale and bread"  # noqa: S105 (of nobody)


def test_the_access_file_is_made_and_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People, programs, the list, and whoever goes; no secret is ever printed but a new token."""
    file = tmp_path / "people.json"
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    ran = rag("password", file, "ada", "--owner", folder=tmp_path)
    assert (ran.returncode, PASSWORD in ran.stdout) == (0, False)
    ran = rag("password", file, "ci", "--token", folder=tmp_path)
    assert ran.returncode == 0
    token = ran.stdout.strip()
    known = accounts.load(file)
    ada, ci = known.person("ada", PASSWORD), known.program(token)
    assert ada is not None
    assert ada.role == "owner"
    assert ci is not None
    assert ci.role == "reader"
    said = rag("password", file, folder=tmp_path).stdout
    assert said.splitlines() == ["ada: owner, with a password", "ci: reader, with a token"]
    assert rag("password", file, "ci", "--remove", folder=tmp_path).returncode == 0
    assert accounts.load(file).program(token) is None
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["password", "FILE"], "gives nobody access"),
        (["password", "FILE", "ada"], "12 characters"),
        (["password", "FILE", "ada", "--remove"], "has nobody called ada"),
        (["password", "FILE", "ada", "--remove", "--owner"], "takes no other options"),
        (["serve", "--host", "192.0.2.7"], "--auth FILE"),
        (["serve", "--behind-proxy", "127.0.0.1"], "--insecure"),
        (["serve", "--auth", "FILE"], "rag password"),
    ],
)
def test_what_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    """In one line that says what to do; nothing is made."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    file = str(tmp_path / "people.json")
    given = (file if one == "FILE" else one for one in arguments)
    is_one_clear_line(rag(*given, folder=tmp_path), said)
    assert list(tmp_path.iterdir()) == []
