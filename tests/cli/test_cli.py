"""The command, as a person runs it: its output, its exit code. What depends on its being a process
is tested with one; what is printed, mostly by the function that the process calls.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest
from commands import Ran, rag, rag_process

from rag.runtime import progress

SEEDS = Path(__file__).parents[2] / "seeds"
QUESTION = "Which company supplies the turret of the Zorawar light tank?"


def table(output: str) -> dict[str, str]:
    """The table at the end of a run, by the first word of each row."""
    rows = (line.split(maxsplit=1) for line in output.splitlines())
    return {name: " ".join(rest.split()) for name, rest in rows}


def is_one_clear_line(run: Ran, *words: str) -> None:
    """An error: exit code 2, nothing on standard output, one line with what to do next."""
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.count("\n") == 1, run.stderr
    for word in words:
        assert word in run.stderr


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose default library holds the seeds, indexed by the command."""
    folder = tmp_path_factory.mktemp("indexed")
    run = rag_process("index", SEEDS, folder=folder)
    assert run.returncode == 0, run.stderr
    assert table(run.stdout).items() >= {("added", "1 document"), ("embedded", "3 passages")}
    assert (folder / ".rag" / "library.db").exists()
    return folder


def test_ask_in_words(indexed: Path) -> None:
    """The passage, where it stands, and its score."""
    run = rag_process("ask", QUESTION, "-k", "1", folder=indexed)
    assert (run.returncode, run.stderr) == (0, "")
    assert rag("ask", QUESTION, "-k", "1", folder=indexed).stdout == run.stdout
    assert "»A key focus area is the Zorawar light tank project" in run.stdout
    assert "105mm gun turret.«" in run.stdout
    assert "000_b4b8cba14608a5c3.txt · 2025-03-05 · score 0." in run.stdout


def test_ask_as_json(indexed: Path) -> None:
    """One object with the documented fields and exact offsets."""
    run = rag("ask", QUESTION, "--json", "-k", "2", folder=indexed)
    found = json.loads(run.stdout)
    assert found["question"] == QUESTION
    assert [hit["rank"] for hit in found["hits"]] == [1, 2]
    hit = found["hits"][0]
    assert set(hit) >= {
        *("rank", "score", "text", "title", "source", "date", "page", "document_id"),
        *("start", "end", "answer", "why"),
    }
    assert (hit["source"], hit["date"], hit["page"]) == (
        str(next(SEEDS.iterdir())),
        "2025-03-05",
        None,
    )
    inside = hit["answer"]["start"] - hit["start"]
    answer = hit["text"][inside : inside + hit["answer"]["end"] - hit["answer"]["start"]]
    assert answer == hit["answer"]["text"]
    assert answer.startswith("A key focus area is the Zorawar light tank project")
    assert set(hit["why"]) == {
        *("meaning", "words", "tokens", "meaning_rank", "words_rank", "matched", "instead")
    }


def test_status(indexed: Path) -> None:
    """Figures for people, and the same for programs."""
    found = json.loads(rag("status", "--json", folder=indexed).stdout)
    assert (found["documents"], found["passages"], found["sentences"]) == (1, 3, 15)
    assert (found["model"], found["generation"]) == ("all-MiniLM-L6-v2", 2)
    assert found["bytes"] > 10_000
    words = rag("status", folder=indexed).stdout
    assert "passages    3" in words
    assert "all-MiniLM-L6-v2" in words


def test_index_again_and_remove(tmp_path: Path) -> None:
    """The second run embeds nothing; removing takes the document out; --library is obeyed."""
    for outcome, passages in (("added", 3), ("unchanged", 0)):
        shown = table(rag("index", SEEDS, "--library", "lib", folder=tmp_path).stdout)
        assert (shown[outcome], shown["embedded"]) == ("1 document", f"{passages} passages")
    run = rag("remove", SEEDS, folder=tmp_path, library=tmp_path / "lib")
    assert run.stdout == f"removed {next(SEEDS.iterdir())}\n"
    run = rag("ask", QUESTION, folder=tmp_path, library=tmp_path / "lib")
    assert "The library is empty" in run.stdout


def test_collections(tmp_path: Path) -> None:
    """Named when indexed, listed with counts, asked one by one and together, and removed."""
    for name, text in (("tanks", "The turret is from Ghent."), ("whales", "Whales sing low.")):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(text)
    rag("index", "tanks", folder=tmp_path)
    rag("index", "whales", folder=tmp_path)
    run = rag("index", "whales", "--as", "The [deep] sea", folder=tmp_path)
    assert "collection  “The [deep] sea”, until now “whales”\n" in run.stdout
    shown = rag("status", folder=tmp_path).stdout
    assert f"collection  tanks: 1 document in {tmp_path / 'tanks'}\n" in shown
    assert f"collection  The [deep] sea: 1 document in {tmp_path / 'whales'}\n" in shown
    listed = json.loads(rag("status", "--json", folder=tmp_path).stdout)["collections"]
    assert [(one["name"], one["documents"]) for one in listed] == [
        ("tanks", 1),
        ("The [deep] sea", 1),
    ]

    def found(*names: str) -> list[str]:
        chosen = [part for name in names for part in ("--in", name)]
        run = rag("ask", "Where is the turret from?", "--json", *chosen, folder=tmp_path)
        return sorted(Path(hit["source"]).stem for hit in json.loads(run.stdout)["hits"])

    assert found("tanks") == ["tanks"]
    assert found("The [deep] sea") == ["whales"]
    assert found("tanks", "The [deep] sea") == found() == ["tanks", "whales"]
    run = rag("ask", "--all", "low", "--in", "tanks", folder=tmp_path)
    assert "whales" not in run.stdout
    is_one_clear_line(rag("ask", "Who?", "--in", "tank", folder=tmp_path), "“tank”", "“tanks”")
    is_one_clear_line(rag("remove", folder=tmp_path), "rag remove --in NAME")
    (tmp_path / "whales" / "copy.txt").write_text("The turret is from Ghent.")
    rag("index", "whales", folder=tmp_path)
    run = rag("remove", "--in", "The [deep] sea", folder=tmp_path)
    removed, kept = run.stdout.splitlines()[:-1], run.stdout.splitlines()[-1]
    assert sorted(removed) == [
        f"removed {tmp_path / 'whales' / one}.txt" for one in ("copy", "whales")
    ]
    assert kept == "kept 1 document, also in “tanks”"
    assert "deep" not in rag("status", folder=tmp_path).stdout


@pytest.mark.parametrize("name", ["s3://bucket/x.txt", "s3://bucket"])
def test_remove_what_was_in_object_storage(tmp_path: Path, name: str) -> None:
    """An archive of a shared library may bring it into a folder."""
    (tmp_path / "x.txt").write_text("The turret is from Ghent.")
    rag("index", "x.txt", folder=tmp_path)
    with closing(sqlite3.connect(tmp_path / ".rag" / "library.db")) as store, store:
        store.execute("UPDATE source SET path = 's3://bucket/x.txt', file = 's3://bucket/x.txt'")
        store.execute("UPDATE file SET path = 's3://bucket/x.txt'")
    assert rag("remove", name, folder=tmp_path).stdout == "removed s3://bucket/x.txt\n"


def test_some_files_fail(tmp_path: Path) -> None:
    """Exit code 3, with each file and its reason; the others are in."""
    (tmp_path / "good.txt").write_text("The turret is from Ghent.")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF\0")
    run = rag_process("index", tmp_path, "--no-ocr", folder=tmp_path)
    assert run.returncode == 3
    shown = table(run.stdout)
    assert shown.pop("took").endswith(" seconds")
    assert shown == {
        "added": "1 document",
        "failed": "1 file",
        "skipped": "1 file",
        "embedded": "1 passage",
    }
    assert f"failed {tmp_path}/empty.txt: " in run.stderr
    assert f"skipped {tmp_path}/photo.jpg: it is a picture, whose text needs OCR" in run.stderr
    report = json.loads(rag("report", "--json", folder=tmp_path).stdout)
    assert [(Path(one["source"]).name, one["status"]) for one in report] == [
        ("empty.txt", "failed"),
        ("good.txt", "indexed"),
    ]
    words = rag("report", folder=tmp_path).stdout
    assert "good.txt" in words
    assert f"failed {tmp_path}/empty.txt: " in words
    assert rag("index", tmp_path, folder=tmp_path).returncode == 3, "it still can't be read"
    assert (
        rag("index", tmp_path, "--exclude", "empty*", "--no-ocr", folder=tmp_path).returncode == 0
    )


def test_ask_within_some_documents(tmp_path: Path) -> None:
    """Conditions on the command line; one that is no condition is said in words."""
    for year in (2020, 2022, 2024):
        (tmp_path / f"{year}.txt").write_text(f"date {year}-06-01\nThe harvest was good in {year}.")
    assert rag("index", tmp_path, folder=tmp_path).returncode == 0

    def found(*conditions: str) -> list[str]:
        run = rag("ask", "How was the harvest?", "--json", *conditions, folder=tmp_path)
        return sorted(Path(hit["source"]).stem for hit in json.loads(run.stdout)["hits"])

    assert found("--since", "2021-01-01") == ["2022", "2024"]
    assert found("--until", "2022-06-01", "--source", "202*") == ["2020", "2022"]
    assert found("--where", "date_from=document", "--title", "2024") == ["2024"]
    run = rag("ask", "harvest?", "--language", "xx", folder=tmp_path)
    assert run.stdout == "No document meets all of these conditions.\n"
    run = rag("ask", "גשר", folder=tmp_path)
    assert run.stdout == (
        "This is probably not in your documents: no passage has any of these words.\n"
    )
    run = rag("ask", "גשר", "--title", "2024", folder=tmp_path)
    assert "No document" not in run.stdout
    is_one_clear_line(rag("ask", "harvest?", "--where", "author", folder=tmp_path), "NAME=VALUE")


def test_follow_a_folder(tmp_path: Path) -> None:
    """``--watch`` takes in a new file by itself, waits for a library that is gone for a while, and
    ends with Ctrl-C.
    """
    articles, library = tmp_path / "articles", tmp_path / "library"
    articles.mkdir()
    (articles / "one.txt").write_text("The first article.")
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", "index", articles, "--watch", "--library", library],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    guard = threading.Timer(300, process.kill)  # a missed change must fail, not wait for ever
    guard.start()
    assert process.stdout.readline().split() == ["added", "1", "document"]
    assert process.stdout.readline().split() == ["embedded", "1", "passage"]
    assert process.stdout.readline().startswith("took")
    # On a busy machine there are lines of progress before it.
    assert "Following; Ctrl-C stops.\n" in iter(process.stderr.readline, "")
    (articles / "two.txt").write_text("The second article.")
    assert process.stdout.readline().startswith("1 added, 1 unchanged · 1 passage embedded")
    (articles / "one.txt").unlink()
    assert process.stdout.readline().startswith("1 unchanged, 1 removed")
    library.rename(tmp_path / "away")
    (articles / "three.txt").write_text("The third article.")
    assert process.stderr.readline().endswith(
        "put the folder back, or mount its disk again. Waiting for it.\n"
    )
    assert not library.exists()
    (tmp_path / "away").rename(library)
    assert process.stdout.readline().startswith("1 added, 1 unchanged · 1 passage embedded")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=180)
    guard.cancel()
    assert (process.returncode, said) == (0, "Stopped.\n")


def test_no_such_path(tmp_path: Path) -> None:
    """Named, with what to do."""
    is_one_clear_line(rag_process("index", "nowhere", folder=tmp_path), "nowhere", "rag remove")


def test_library_where_none_can_be(tmp_path: Path) -> None:
    """A file in the way of the library's folder is one clear line, too."""
    (tmp_path / "letter.txt").write_text("Dear all")
    run = rag("index", "letter.txt", "--library", "letter.txt/lib", folder=tmp_path)
    is_one_clear_line(run, "letter.txt/lib", "Not a directory")


def test_empty_question(indexed: Path) -> None:
    """Refused in words."""
    is_one_clear_line(rag("ask", " ? ", folder=indexed), "ask in plain words")


@pytest.mark.parametrize(
    "command",
    [["ask", "what?"], ["status"], ["serve", "--host", "::", "--insecure"], ["remove", "x"]],
)
def test_unknown_library(tmp_path: Path, command: list[str]) -> None:
    """Says how to make one, and makes none."""
    is_one_clear_line(rag(*command, folder=tmp_path), "there is no library", "rag index PATH")
    assert list(tmp_path.iterdir()) == []


def test_library_of_another_model(indexed: Path, tmp_path: Path) -> None:
    """Names both models, and what gives it the one that is here."""
    shutil.copytree(indexed / ".rag", tmp_path / ".rag")
    with closing(sqlite3.connect(tmp_path / ".rag" / "library.db")) as store, store:
        store.execute("UPDATE meta SET value = 'another' WHERE name = 'fingerprint'")
    is_one_clear_line(
        rag("ask", "what?", folder=tmp_path), "“another”", "all-MiniLM-L6-v2", "--library DIR"
    )
    run = rag("index", "--model", "all-MiniLM-L6-v2", folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "Re-encoded with all-MiniLM-L6-v2: " in run.stderr
    assert rag("ask", "what?", folder=tmp_path).returncode == 0


def test_index_without_a_path(tmp_path: Path) -> None:
    """It takes one, unless it has a model to change."""
    is_one_clear_line(rag("index", folder=tmp_path), "rag index PATH")


def test_version(tmp_path: Path) -> None:
    """That of the package."""
    ran = rag("--version", folder=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, f"rag {version('rag')}\n")


def test_lines_where_nobody_watches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How far it is, at intervals, also while no file is finished, and none after the end."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    articles = tmp_path / "articles"
    articles.mkdir()
    for number in range(3):
        (articles / f"{number}.txt").write_text(f"Article {number} is here.")
    said = rag("index", articles, folder=tmp_path).stderr.splitlines()
    assert re.fullmatch(r"loading: 0 so far after \d+ s", said[0])
    assert any(one.startswith("choosing: ") for one in said)
    assert any(re.fullmatch(r"\w+: 0 of 3 files, 0 passages after \d+ s", one) for one in said)
    assert re.fullmatch(r"\w+: 3 of 3 files, 3 passages after \d+ s", said[-1])
    assert len(said) > 3


@pytest.mark.parametrize("arguments", [["ask"], ["ask", "what?", "-k", "0"], ["dance"]])
def test_wrong_usage(tmp_path: Path, arguments: list[str]) -> None:
    """Exit code 2 with the usage."""
    run = rag(*arguments, folder=tmp_path)
    assert run.returncode == 2
    assert "Usage:" in run.stderr


def test_help_teaches(tmp_path: Path) -> None:
    """Every command, and for each an example or what it does."""
    whole = rag("--help", folder=tmp_path).stdout
    for command in ("index", "ask", "serve", "status", "remove"):
        assert command in whole
        assert "--library" in rag(command, "--help", folder=tmp_path).stdout
    assert "Example: rag ask" in rag("ask", "--help", folder=tmp_path).stdout


def test_date_of_a_file_is_called_so(tmp_path: Path) -> None:
    """A text that names no date is shown with its file's, and not as if it were its own."""
    (tmp_path / "note.txt").write_text("The harvest was good.")
    os.utime(tmp_path / "note.txt", (1_600_000_000, 1_600_000_000))
    rag("index", tmp_path, folder=tmp_path)
    assert "note.txt · file of 2020-09-13 · score" in rag("ask", "harvest", folder=tmp_path).stdout


def test_output_that_nobody_reads(indexed: Path) -> None:
    """``rag ask … | head -1`` ends without a complaint."""
    run = subprocess.run(
        f"{sys.executable} -m rag ask '{QUESTION}' --json | head -c 1",
        shell=True,
        cwd=indexed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.stdout, run.stderr) == ("{", "")


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupt(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    """Ctrl-C or SIGTERM while indexing: a line, its exit code, and what was done is kept."""
    articles = tmp_path / "articles"
    articles.mkdir()
    for number in range(3000):
        (articles / f"{number:04}.txt").write_text(
            f"Article number {number} is about topic {number}."
        )
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", "index", articles],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    store = tmp_path / ".rag" / "library.db-wal"
    deadline = time.monotonic() + 300
    while not (store.exists() and store.stat().st_size > 100_000):
        assert time.monotonic() < deadline, "it never began to write"
        time.sleep(0.02)
    process.send_signal(sent)
    _, said = process.communicate(timeout=180)
    assert process.returncode == code
    assert "Traceback" not in said
    kept = json.loads(rag("status", "--json", folder=tmp_path).stdout)["documents"]
    assert 0 < kept < 3000
    assert f"Stopped. {kept:,} document" in said
