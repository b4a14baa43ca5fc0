"""OCR from end to end: asked for, done in other processes, found by a question."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from commands import rag
from pdf_files import drawn, made, needs_tesseract, scanned

from rag import InputError, Library
from rag.documents.read_options import NEEDED
from rag.documents.registry import ReadOptions
from rag.documents.sandbox.reader import read

LINES = (
    "The keeper of the lighthouse wrote in his log",
    "that the lamp was lit with whale oil until the",
    "spring of 1861, and with paraffin from then on.",
)


@pytest.fixture(scope="module")
def scan() -> bytes:
    """A page of text and a scanned one."""
    return scanned(made(drawn("The log of the lighthouse."), drawn(*LINES)), pages={1})


@needs_tesseract
def test_what_was_left_out_is_read_with_ocr(
    tmp_path: Path, library: Library, scan: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First without, then with OCR: the scanned page is taken in, and its answer found."""
    (tmp_path / "log.pdf").write_bytes(scan)
    library.index(tmp_path / "log.pdf", ocr=False)
    (report,) = library.report()
    assert report.warnings == (f"page 2: no text layer, {NEEDED}",)
    assert (report.pages, report.pages_with_text) == (2, 1)
    library.index(tmp_path / "log.pdf")  # what is there now is used, and what was unread is read
    (report,) = library.report()
    assert report.warnings == ("page 2: read by OCR, may have errors",)
    assert (report.pages, report.pages_with_text) == (2, 2)
    (hit,) = library.search("What was burnt in the lamp?", 1)
    assert hit.page == 2
    assert "whale oil" in hit.answer.text
    assert library.index(tmp_path / "log.pdf", ocr="eng").embedded == 0
    # Read again it is read in the same way, or else not at all.
    again = library.index(tmp_path / "log.pdf", again=True)
    assert (len(again.unchanged), again.failed, again.embedded) == (1, (), 0)
    monkeypatch.setenv("PATH", "")
    (failure,) = library.index(tmp_path / "log.pdf", again=True).failed
    assert "apt install tesseract-ocr" in failure.reason
    assert failure.reason.endswith("; its earlier version stays in the library")
    assert library.search("What was burnt in the lamp?", 1)[0].page == 2


@needs_tesseract
@pytest.mark.parametrize("languages", ["xyz", "eng+xyz"])
def test_language_that_is_not_there(library: Library, articles: Path, languages: str) -> None:
    """Refused before anything is read, even where nothing is scanned."""
    with pytest.raises(InputError, match=r"no language “xyz”; it has .*eng"):
        library.index(articles, ocr=languages)
    assert library.status().documents == 0


def test_options_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Languages ask for tesseract: without it, one line says how to get it; nothing is read."""
    (tmp_path / "note.txt").write_text("The lamp was lit.")
    monkeypatch.setenv("PATH", "")
    run = rag("index", tmp_path, "--ocr-language=deu+eng", folder=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.count("\n") == 1
    assert "apt install tesseract-ocr" in run.stderr
    assert rag("status", folder=tmp_path).stdout.splitlines()[1] == "documents   0"


@needs_tesseract
def test_language_on_the_command_line(tmp_path: Path) -> None:
    """It is taken from there, and checked."""
    run = rag("index", tmp_path, "--ocr-language", "xyz", folder=tmp_path)
    assert run.returncode == 2
    assert "tesseract has no language “xyz”" in run.stderr


@needs_tesseract
def test_in_a_process_with_little_memory_and_in_archives(tmp_path: Path, scan: bytes) -> None:
    """The limit on memory holds for tesseract, which is content with it; a member is read too."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("logs/1861.pdf", scan)
    (tmp_path / "logs.zip").write_bytes(packed.getvalue())
    found = [
        one
        for one in read([tmp_path / "logs.zip"], options=ReadOptions("eng"))
        if isinstance(one, tuple)
    ]
    ((_, document),) = found
    assert document.source == str(tmp_path / "logs.zip" / "logs" / "1861.pdf")
    assert document.warnings == ("page 2: read by OCR, may have errors",)
    assert document.text.endswith(" ".join(LINES))
