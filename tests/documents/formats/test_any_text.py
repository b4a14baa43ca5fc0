"""Any file that is text is read, whatever its suffix."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from rag.documents.discovery import discover
from rag.documents.read_options import ONLY_A_PICTURE
from rag.documents.registry import load
from rag.errors import UnknownFormat
from rag.types import Document

PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(300)


def _document(path: Path, content: str | bytes) -> Document:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (document,) = load(path)
    assert isinstance(document, Document)
    return document


def _headings(document: Document) -> list[tuple[str, int]]:
    return [(one.span.of(document.text), one.level) for one in document.headings]


@pytest.mark.parametrize("name", ["tide.py", "elbe.conf", "a.yaml", "notes.v2", "x.unheard-of"])
def test_text_with_any_suffix_is_read(tmp_path: Path, name: str) -> None:
    """In a folder, and without a warning: nothing is wrong with it."""
    document = _document(tmp_path / name, "# High water\nheight = 3.4\n")
    assert document.text == "# High water\nheight = 3.4"
    assert document.warnings == ()
    assert discover([tmp_path], leave_out=None).files == (tmp_path / name,)


def test_text_in_other_encodings(tmp_path: Path) -> None:
    """They are told as in a file named as text."""
    assert _document(tmp_path / "a.ini", "größe = 3".encode("cp1252")).text == "größe = 3"
    assert _document(tmp_path / "b.ini", "größe = 3".encode("utf-16")).text == "größe = 3"


@pytest.mark.parametrize("name", ["photo.pcx", "a.unheard-of", "song.mp3"])
def test_binary_files_are_refused_by_their_suffix(tmp_path: Path, name: str) -> None:
    """When their turn comes, and in a folder unopened but for their beginning."""
    suffix = f".{name.partition('.')[2]}"
    (tmp_path / name).write_bytes(PICTURE)
    with pytest.raises(UnknownFormat, match=f"no loader for “{suffix}” files"):
        next(load(tmp_path / name))
    found = discover([tmp_path], leave_out=None)
    assert not found.files
    assert [one.reason for one in found.skipped] == [f"{suffix} files are not read"]


def test_mail_with_any_suffix(tmp_path: Path) -> None:
    """A mail folder (Maildir) names messages ``1709632800.M1P2.host:2,S``."""
    mail = "From: Ada <ada@example.org>\nTo: b@example.org\nSubject: Tide\n\nHigh water at nine."
    document = _document(tmp_path / "1709632800.M1P2.host:2,S", mail)
    assert document.title == "Tide"
    assert document.metadata["from"] == "Ada <ada@example.org>"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a.org", "* Garden\nRoses.\n** Prune\nIn May.\n*bold* words"),
        ("a.adoc", "= Garden\n\nRoses.\n\n== Prune\nIn May.\n====\n*bold* words\n===="),
        ("a.wiki", "= Garden =\nRoses.\n\n== Prune ==\nIn May. '''bold''' words"),
        ("a.tex", "\\section*{Garden}\nRoses.\n\\subsection{Prune}\\label{p}\nIn May. words"),
    ],
)
def test_headings_of_light_markup(tmp_path: Path, name: str, source: str) -> None:
    """They are headings of their level; what only looks like one is text."""
    document = _document(tmp_path / name, source)
    (first, outer), (second, inner) = _headings(document)
    assert [first, second] == ["Garden", "Prune"]
    assert inner == outer + 1
    assert document.title == "Garden"
    assert "Roses." in document.text
    assert "words" in document.text


def test_accents_of_latex(tmp_path: Path) -> None:
    """Letters are found as people write them; line breaks and macros of formulas stay."""
    source = r"""H\o yer, Erd\H{o}s, R\"odl, na\"{\i}ve {\'e}l\`eve, \c ca, \ss; $\v{x}$ \\'a"""
    document = _document(tmp_path / "a.tex", source)
    assert document.text == (r"Høyer, Erdős, Rödl, naïve élève, ça, ß; $\v{x}$ \\'a")


@pytest.mark.parametrize(
    "lines",
    [
        ["2024-03-05 09:12:44,120 ERROR disk full", "2024-03-05 09:13:01 INFO disk cleaned"],
        ["2024-03-05 ERROR disk full", "2024-03-06 INFO disk cleaned"],
        ["05-Mar-2024 09:12:44.120 INFO begun", "05-Mar-2024 09:13:01.120 INFO done"],
        ["Mar  5 09:12:44 elbe sshd[1]: closed", "Mar 15 09:13:01 elbe cron[2]: begun"],
        ["::1 - - [05/Mar/2024:09:12:44 +0000] GET", "::1 - - [05/Mar/2024:09:13:00 +0000] PUT"],
        ["05/03/2024, 18:22 - Ada: At nine", "05/03/2024, 18:23 - Ben: Fine"],
    ],
)
def test_records_of_a_log_are_paragraphs(tmp_path: Path, lines: list[str]) -> None:
    """With what belongs to them, such as a stack trace."""
    document = _document(tmp_path / "app.log", f"{lines[0]}\n  at main\n{lines[1]}\n")
    assert document.text == f"{lines[0]}\n  at main\n\n{lines[1]}"


def test_empty_files_of_no_document_format_are_skipped(tmp_path: Path) -> None:
    """They are no failure: programs have many."""
    (tmp_path / "__init__.py").touch()
    found = discover([tmp_path], leave_out=None)
    assert [one.reason for one in found.skipped] == ["it is empty"]


def test_pictures_need_ocr(tmp_path: Path) -> None:
    """They say so, in a folder and by name."""
    (tmp_path / "scan.png").write_bytes(PICTURE)
    with pytest.raises(UnknownFormat, match=re.escape(ONLY_A_PICTURE)):
        next(load(tmp_path / "scan.png"))
    found = discover([tmp_path], leave_out=None, pictures=False)
    assert [one.reason for one in found.skipped] == [ONLY_A_PICTURE]
    assert not found.covers(str(tmp_path / "scan.png"))  # what an earlier run read of it stays
    assert found.covers(str(tmp_path / "gone.png"))


def test_sockets_and_dangling_links_are_skipped(tmp_path: Path) -> None:
    """They are no files; only a suffix that is read makes them worth a word more."""
    (tmp_path / "gone.lnk").symlink_to(tmp_path / "nowhere")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "agent.sock"))
        found = discover([tmp_path], leave_out=None)
    reasons = [one.reason for one in found.skipped]
    assert reasons == [".sock files are not read", ".lnk files are not read"]
