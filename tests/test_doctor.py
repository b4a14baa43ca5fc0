"""``rag doctor``: all that a report needs, nothing private, and troubles with what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag import Library, cli
from rag.diagnosis import diagnosed, shortened
from rag.store import FORMAT


def found(folder: Path) -> dict[str, dict[str, str]]:
    """What was found, by subject and name."""
    return {
        subject: {one.name: one.value for one in findings}
        for subject, findings in diagnosed(folder).items()
    }


def test_what_it_says(library: Library) -> None:
    """Versions of all that rag needs, the machine, the model's check, the library's facts."""
    told = found(library.path)
    assert {"rag", "Python", "faiss-cpu", "sentence-transformers", "gradio"} <= set(
        told["versions"]
    )
    assert "pytest" not in told["versions"]
    assert {"system", "processor", "cores", "encoding"} <= set(told["machine"])
    assert told["model"]["files"] == "as they should be (SHA-256 53aa51172d142c89…)"
    assert told["library"]["format"] == f"{FORMAT} (this rag: {FORMAT})"
    assert told["library"]["generation"] == "0"
    assert told["library"]["folder"] == "/…/library"
    assert told["library"]["permissions"].startswith("drwx")


def test_nothing_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No folder but the last, and no secret; the settings that count are there."""
    secret = tmp_path / "ada" / "letters to Charles" / "library"
    monkeypatch.setenv("HOME", str(tmp_path / "ada"))
    monkeypatch.setenv("RAG_LIBRARIES", f"{tmp_path}/ada/Babbage/shelf")
    monkeypatch.setenv("HF_TOKEN", "hf_very_secret")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    with pytest.raises(SystemExit, match="0"):
        cli.main(["doctor", "--json", "--library", str(secret)])
    printed = capsys.readouterr().out
    told = json.loads(printed)["settings"]
    settings = {one["name"]: one["value"] for one in told}
    assert settings["RAG_LIBRARIES"] == "~/…/shelf"
    assert {"name": "HF_TOKEN", "value": "set, not shown", "trouble": ""} in told
    assert settings["OMP_NUM_THREADS"] == "3"
    for word in ("ada", "Charles", "Babbage", "very_secret", str(tmp_path)):
        assert word not in printed


def test_what_is_wrong_is_said_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A damaged library: exit code 4."""
    (tmp_path / "library.db").write_bytes(b"this is no library" * 1000)
    with pytest.raises(SystemExit) as ended:
        cli.main(["doctor", "--library", str(tmp_path)])
    assert ended.value.code == 4
    printed = capsys.readouterr()
    assert "damaged" in printed.out
    assert "restore it from a copy" in printed.err


def test_paths_are_shortened() -> None:
    """To whether they lie below the home folder, and the last part."""
    home = Path.home()
    assert shortened(home) == "~"
    assert shortened(home / ".rag") == "~/.rag"
    assert shortened("~/a/b/.rag") == "~/…/.rag"
    assert shortened("/srv") == "/srv"
    assert shortened("/srv/ada/.rag") == "/…/.rag"
