"""``rag doctor``: all that a report needs, nothing private, and troubles with what to do."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder
from nobody import as_nobody

from rag import Library
from rag.cli import main
from rag.index.sqlite.database import FORMAT, Database
from rag.library.opener import NAME
from rag.maintenance.doctor import diagnose, shorten
from rag.models.named_models import NamedModel


def found(folder: Path) -> dict[str, dict[str, str]]:
    """What was found, by subject and name."""
    return {
        subject: {one.name: one.value for one in findings}
        for subject, findings in diagnose(folder).items()
    }


def test_what_it_says(library: Library) -> None:
    """Versions of all that rag needs, the machine, the model's check, the library's facts."""
    told = found(library.path)
    assert {"rag", "Python", "faiss-cpu", "sentence-transformers", "gradio"} <= set(
        told["versions"]
    )
    assert "pytest" not in told["versions"]
    assert {"system", "processor", "cores", "encoding"} <= set(told["machine"])
    assert told["model"]["files"] == "unmodified (SHA-256 53aa51172d142c89…)"
    assert told["library"]["format"] == f"{FORMAT} (this rag: {FORMAT})"
    assert told["library"]["generation"] == "0"
    assert told["library"]["folder"] == "/…/library"
    assert told["library"]["permissions"].startswith("drwx")


def test_nothing_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No folder but the last, and no secret; the settings that count are there."""
    monkeypatch.setattr("rag.maintenance.doctor.LITTLE_DISK", 0)  # this machine may have little
    secret = tmp_path / "ada" / "letters to Charles" / "library"
    monkeypatch.setenv("HOME", str(tmp_path / "ada"))
    monkeypatch.setenv("RAG_LIBRARY", f"{tmp_path}/ada/Babbage/shelf")
    monkeypatch.setenv("HF_TOKEN", "hf_very_secret")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("HF_ENDPOINT", "https://ada:very_secret@Babbage")
    with pytest.raises(SystemExit, match="0"):
        main.main(["doctor", "--json", "--library", str(secret)])
    printed = capsys.readouterr().out
    told = json.loads(printed)["settings"]
    settings = {one["name"]: one["value"] for one in told}
    assert settings["RAG_LIBRARY"] == "~/…/shelf"
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
        main.main(["doctor", "--library", str(tmp_path)])
    assert ended.value.code == 4
    printed = capsys.readouterr()
    assert "damaged" in printed.out
    assert "restore it from a copy" in printed.err


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trouble from the limit on, whatever else there is room for."""
    for limit, trouble in ((0, ""), (1 << 60, "make room: indexing needs about 40 KB per passage")):
        monkeypatch.setattr("rag.maintenance.doctor.LITTLE_DISK", limit)
        (disk,) = [one for one in diagnose(tmp_path)["library"] if one.name == "free disk"]
        assert disk.value.endswith(" GiB")
        assert disk.trouble == trouble


def test_a_model_of_ones_own_is_not_told_by_its_place(tmp_path: Path) -> None:
    """What is wrong with it is, and of its folder the last part."""
    Library.open(tmp_path / "library", embedder=HashingEmbedder()).close()
    lost = tmp_path / "ada" / "tuned"
    model = NamedModel(
        str(lost), "0" * 64, 64, 50, late=True, pooling="mean", languages=frozenset()
    )
    database = Database(tmp_path / "library" / "library.db", 64)
    database.keep(NAME, model.record)
    database.close()
    name, files = diagnose(tmp_path / "library")["model"]
    assert name.value == "/…/tuned, 64 dimensions"
    assert files.value == "wrong"
    assert files.trouble
    assert "ada" not in files.trouble


@pytest.mark.parametrize("closed", ["library", "library/library.db"])
def test_a_library_out_of_reach(closed: str) -> None:
    """It is said with all the rest: who may not read it needs the report most."""
    with tempfile.TemporaryDirectory() as name:  # not in tmp_path, whose parents are closed
        folder = Path(name)
        folder.chmod(0o755)
        Library.open(folder / "library", embedder=HashingEmbedder()).close()
        diagnose(folder / "library")  # nobody may read Python's own modules, either
        (folder / closed).chmod(0)
        with as_nobody():
            told = {one.name: one for one in diagnose(folder / "library")["library"]}
        (folder / closed).chmod(0o700)
    assert told["state"].value == "out of reach"
    assert "who may read" in told["state"].trouble


def test_paths_are_shortened() -> None:
    """To whether they lie below the home folder, and the last part."""
    home = Path.home()
    assert shorten(home) == "~"
    assert shorten(home / ".rag") == "~/.rag"
    assert shorten("~/a/b/.rag") == "~/…/.rag"
    assert shorten("/srv") == "/srv"
    assert shorten("/srv/ada/.rag") == "/…/.rag"
