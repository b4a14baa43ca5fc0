"""``rag password`` and what ``rag serve`` refuses to begin."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from rag.cli import main
from ui.security import accounts

PASSWORD = "a tank, a whale and bread"  # noqa: S105 (of nobody)


def rag(
    capsys: pytest.CaptureFixture[str], *arguments: str | Path
) -> tuple[int | str | None, str, str]:
    """Exit code, output and complaints of the command, as a person runs it."""
    with pytest.raises(SystemExit) as ended:
        main.main([str(one) for one in arguments])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_the_access_file_is_made_and_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """People, programs, the list, and whoever goes; no secret is ever printed but a new token."""
    file = tmp_path / "people.json"
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    code, said, _ = rag(capsys, "password", file, "ada", "--owner")
    assert (code, PASSWORD in said) == (0, False)
    code, token, _ = rag(capsys, "password", file, "ci", "--token")
    assert code == 0
    known = accounts.load(file)
    ada, ci = known.person("ada", PASSWORD), known.program(token.strip())
    assert ada is not None
    assert ada.role == "owner"
    assert ci is not None
    assert ci.role == "reader"
    code, said, _ = rag(capsys, "password", file)
    assert said.splitlines() == ["ada: owner, with a password", "ci: reader, with a token"]
    assert rag(capsys, "password", file, "ci", "--remove")[0] == 0
    assert accounts.load(file).program(token.strip()) is None
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
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    """In one line that says what to do; nothing is made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    file = str(tmp_path / "people.json")
    code, out, err = rag(capsys, *(file if one == "FILE" else one for one in arguments))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert said in err
    assert list(tmp_path.iterdir()) == []
