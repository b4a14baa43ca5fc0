"""Protected PDFs: read with their password, which is asked for by name and kept nowhere."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from many_files import fact, pdf

from rag import Library

UNOPENED = "this PDF is protected by a password; give it when you index, or save a copy without one"
UNFIT = "this PDF is protected by a password, and none of the given ones opens it; check them"


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """Two PDFs with different passwords, one of them not ASCII, and a third in an archive."""
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "bank.pdf").write_bytes(pdf(1, password="swordfish"))
    (folder / "doctor.pdf").write_bytes(pdf(2, password="Käsebröt"))
    with zipfile.ZipFile(folder / "old.zip", "w") as archive:
        archive.writestr("1999.pdf", pdf(3, password="swordfish"))
    return folder


def read(library: Library) -> set[str]:
    """Names of the PDFs whose fact is found on its page."""
    return {
        Path(hit.source).name
        for number in (1, 2, 3)
        for hit in library.search(fact(number), 1)
        if hit.answer.text == fact(number) and hit.page == 2
    }


def test_kinds_of_failures(library: Library, letters: Path) -> None:
    """What needs a password, what nothing reads and what is damaged differ for programs, too, at
    once and from the store.
    """
    (letters / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    (letters / "film.mp4").write_bytes(b"\0\0")
    (letters / "no_ending").write_bytes(b"PK\3\4\0\0")
    (letters / "key.txt").write_text("-----BEGIN PRIVATE KEY-----\nMIIB")
    report = library.index(letters)
    kinds = {Path(one.source).name: one.kind for one in (*report.failed, *report.skipped)}
    assert kinds == {
        **dict.fromkeys(("bank.pdf", "doctor.pdf", "1999.pdf"), "password"),
        "broken.pdf": "unreadable",
        "film.mp4": "unsupported",
        "no_ending": "unreadable",
        "key.txt": "secret",
    }
    stored = [one for file in library.report() for one in file.failures]
    assert set(report.failed) == {one for one in stored if one.kind != "secret"}
    named = library.index([letters / "key.txt", letters / "film.mp4"])
    assert [one.kind for one in (*named.skipped, *named.failed)] == ["secret", "unsupported"]


def test_with_and_without(library: Library, letters: Path) -> None:
    """What lacks its password is told by name, and read when it comes."""
    report = library.index(letters)
    names = ("bank.pdf", "doctor.pdf", "old.zip/1999.pdf")
    assert {(one.source, one.reason) for one in report.failed} == {
        (str(letters / name), UNOPENED) for name in names
    }
    report = library.index(letters, passwords=["tuna", "swordfish"])
    assert [(one.source, one.reason) for one in report.failed] == [
        (str(letters / "doctor.pdf"), UNFIT)
    ]
    assert read(library) == {"bank.pdf", "1999.pdf"}
    assert library.index(letters, passwords=["Käsebröt"]).failed == ()
    assert read(library) == {"bank.pdf", "doctor.pdf", "1999.pdf"}
    report = library.index(letters)
    assert (report.failed, len(report.unchanged)) == ((), 3)


def test_kept_nowhere(library: Library, letters: Path) -> None:
    """Not in the library's folder; so a PDF that changed needs its password again, and what was
    read of it stays until then.
    """
    library.index(letters, passwords=["swordfish", "Käsebröt"])
    for file in library.path.rglob("*"):
        assert not file.is_file() or b"swordfish" not in file.read_bytes(), file
    (letters / "bank.pdf").write_bytes(pdf(4, password="swordfish"))
    (failure,) = library.index(letters).failed
    assert failure.reason == UNOPENED + "; its earlier version stays in the library"
    assert "bank.pdf" in read(library)
    assert library.index(letters, passwords=["swordfish"]).failed == ()
    assert "bank.pdf" not in read(library)


def rag(letters: Path, typed: list[str], *options: str) -> tuple[int, str]:
    """``rag index`` at a terminal where somebody types; its exit code and what it shows."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", "index", letters, *options],
        cwd=letters.parent,
        env=os.environ | {"RAG_LIBRARY": str(letters.parent / "library"), "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,  # without the terminal that the tests run in
    )
    os.close(theirs)
    shown = ""
    waiting = list(typed)
    while True:
        try:
            shown += os.read(ours, 4096).decode()
        except OSError:  # the other side is closed
            break
        if waiting and shown.count("(not shown): ") == len(typed) - len(waiting) + 1:
            os.write(ours, (waiting.pop(0) + "\n").encode())
    os.close(ours)
    return process.wait(), shown.replace("\r\n", "\n")


def test_asked_for_by_name(letters: Path) -> None:
    """A wrong one is asked for again, a right one opens others, too, and Enter leaves one out."""
    code, shown = rag(letters, ["tuna", "swordfish", ""])
    assert code == 3
    asked = [line for line in shown.splitlines() if line.startswith("Password of")]
    bank, doctor = (f"Password of {letters / name}" for name in ("bank.pdf", "doctor.pdf"))
    assert asked == [bank, bank, doctor]
    assert shown.count("3 PDFs with a password; press Enter to leave one out.") == 1
    assert "It does not open it; try again, or press Enter to leave it out." in shown
    assert "It opens 2 PDFs: 2 passages embedded." in shown
    assert "swordfish" not in shown
    with Library.open(letters.parent / "library") as library:
        assert read(library) == {"bank.pdf", "1999.pdf"}


def test_from_a_file(letters: Path) -> None:
    """All known: nobody is asked, and nothing fails."""
    (letters.parent / "passwords").write_text("tuna\n\nswordfish\nKäsebröt\n", encoding="utf-8")
    code, shown = rag(letters, [], "--passwords", str(letters.parent / "passwords"))
    assert (code, "Password of" in shown) == (0, False)


def test_no_such_file(letters: Path) -> None:
    """Refused before anything is read."""
    code, shown = rag(letters, [], "--passwords", "gone")
    assert code == 2
    assert "--passwords gone: No such file or directory; name a text file" in shown
    assert not (letters.parent / "library").exists()
