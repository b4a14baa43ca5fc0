from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from many_files import zipped

from rag.documents.detection import FileType, detect
from rag.documents.registry import load, supported
from rag.errors import LoadError, SecretFile, UnknownFormat
from rag.types import Document

KNOWN = supported()

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"
RTF = rb"{\rtf1\ansi Words.}"
PAGE = (
    b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- saved --> <!DOCTYPE html><html><p>Words.</p></html>"
)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(300)
MAIL = b"Return-Path: <a@b.c>\r\nFrom: a@b.c\r\nTo: d@e.f\r\nSubject: Tea\r\n\r\nWords."
MAILBOX = b"From a@b.c Wed Mar  5 10:00:00 2025\nFrom: a@b.c\n\nWords."
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
OLD_OFFICE = COMPOUND + "WordDocument".encode("utf-16-le")
OLD_WORKBOOK = COMPOUND + "Workbook\0".encode("utf-16-le")


def _zip(**entries: str) -> bytes:
    """A ZIP archive; in the names, two underscores stand for a slash and one for a dot."""
    return zipped({n.replace("__", "/").replace("_", "."): one for n, one in entries.items()})


DOCX = _zip(word__document_xml="<w/>")
XLSX = _zip(xl__workbook_xml="<x/>")
PPTX = _zip(ppt__presentation_xml="<p/>")
EPUB = _zip(mimetype="application/epub+zip", a_xhtml="<html/>")
ODT = _zip(mimetype="application/vnd.oasis.opendocument.text", content_xml="<o/>")
ZIP = _zip(a_txt="Words.")


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (PDF, ".pdf"),
        (b"\n " + PDF, ".pdf"),
        (RTF, ".rtf"),
        (PAGE, ".html"),
        (DOCX, ".docx"),
        (XLSX, ".xlsx"),
        (PPTX, ".pptx"),
        (EPUB, ".epub"),
        (ODT, ".odt"),
        (ZIP, ".zip"),
        (MAIL, ".eml"),
        (MAILBOX, ".mbox"),
        (b"\x1f\x8b\x08\x00", ".gz"),
        (OLD_WORKBOOK, ".xls"),
        (b"Just words. Date: none.", ".txt"),
        (b"To: do\n\nBuy milk.", ".txt"),
        (b"From here on, 2025 words.\n", ".txt"),
        ("Größe".encode("utf-16"), ".txt"),
    ],
)
def test_without_an_ending_the_content_decides(data: bytes, suffix: str) -> None:
    """Marks of their own, headers of a mail, or else text; there is nothing to warn of."""
    assert detect("README", data, KNOWN) == FileType(suffix)


@pytest.mark.parametrize(
    ("name", "data", "suffix", "what"),
    [
        ("a.txt", PDF, ".pdf", "its name ends in .txt, but it holds PDF: read as that"),
        ("a.docx", RTF, ".rtf", "its name ends in .docx, but it holds RTF: read as that"),
        ("a.DOCX", PAGE, ".html", "its name ends in .docx, but it holds HTML: read as that"),
        ("a.doc", RTF, ".rtf", "its name ends in .doc, but it holds RTF: read as that"),
        ("a.xls", PAGE, ".html", "its name ends in .xls, but it holds HTML: read as that"),
        ("a.php", PAGE, ".html", "its name ends in .php, but it holds HTML: read as that"),
        ("a.txt", PAGE, ".html", "its name ends in .txt, but it holds HTML: read as that"),
        ("a.csv", XLSX, ".xlsx", "its name ends in .csv, but it holds XLSX: read as that"),
        ("a.zip", DOCX, ".docx", "its name ends in .zip, but it holds DOCX: read as that"),
        ("a.docx", PPTX, ".pptx", "its name ends in .docx, but it holds PPTX: read as that"),
        ("a.doc", OLD_WORKBOOK, ".xls", "its name ends in .doc, but it holds XLS: read as that"),
        ("a.docm", DOCX, ".docx", "its name ends in .docm, but it holds DOCX: read as that"),
    ],
)
def test_a_name_that_lies(name: str, data: bytes, suffix: str, what: str) -> None:
    """The file is read as what it is, and a warning says so."""
    assert detect(name, data, KNOWN) == FileType(suffix, what)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", b"<p>A piece of a page.</p>"),
        ("a.txt", b"The <html> tag. <!DOCTYPE html>"),
        ("a.md", PAGE),
        ("a.txt", b"Words of a PDF: %PDF-1.7"),
        ("a.docx", ZIP),
        ("a.docx", DOCX[:60]),
        ("a.tgz", b"\x1f\x8b\x08\x00"),
        ("a.html", b"no markup"),
        ("a.eml", MAIL),
        ("a.txt", MAIL),
        ("a.pdf", b"no mark"),
        ("a.txt", b""),
    ],
)
def test_a_persons_choice_stands(name: str, data: bytes) -> None:
    """Where the content doesn't prove another kind, the name decides."""
    assert detect(name, data, KNOWN) == FileType("." + name.partition(".")[2])


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.xyz", b"Words\0\1\2", r"no loader for “\.xyz” files; save it as"),
        ("a.jar", ZIP, r"no loader for “\.jar” files; save it as"),
        ("photo", PNG, r"no loader for what it holds \(Portable Network Graphics file\); "),
        ("a.doc", OLD_OFFICE, r"no loader for Word and PowerPoint files from before 2007"),
        ("a.doc", OLD_OFFICE + OLD_WORKBOOK, r"no loader for Word and PowerPoint files from"),
        ("a.msg", COMPOUND, r"no loader for “\.msg” files; save it as"),
        ("noise", bytes(range(9)) * 99, r"no loader for what it holds \(.+\); "),
    ],
)
def test_kinds_that_are_not_read(name: str, data: bytes, message: str) -> None:
    """They are named, and told from what failed."""
    with pytest.raises(UnknownFormat, match=message) as caught:
        detect(name, data, KNOWN)
    assert caught.value.kind == "unsupported"


def test_a_kind_whose_loader_is_missing() -> None:
    """What is recognised and can't be read says what it is."""
    with pytest.raises(UnknownFormat, match=r"no loader for “\.pdf” files, which it is; "):
        detect("a.txt", PDF, {".txt": True})


@pytest.mark.parametrize("data", [PNG, bytes(1000), b"\x7fELF" + bytes(range(20)) * 20])
def test_binary_junk_called_text_is_an_error(data: bytes) -> None:
    """It says what it is, so that it can be renamed."""
    with pytest.raises(LoadError, match=r"ends in \.txt, but it holds no text \(.+\); rename"):
        detect("a.txt", data, KNOWN)


def test_protected_office_files_say_so() -> None:
    """Office wraps a file with a password in its old format."""
    data = OLD_OFFICE + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(LoadError, match="protected by a password; save a copy without one"):
        detect("a.docx", data, KNOWN)


def test_any_bytes_have_a_kind_or_a_reason() -> None:
    """Noise never makes it fail in another way."""
    for size in (0, 1, 7, 100, 5000):
        for start in (b"", b"PK\x03\x04", b"BZh9", b"%PDF-", b"From ", b"\xff\xfe"):
            try:
                detect("noise", start + os.urandom(size), KNOWN)
            except LoadError as error:
                assert "; " in str(error)  # noqa: PT017 - either is right


PRIVATE_KEY = "-----BEGIN {}PRIVATE KEY-----\nMIIBVgIBADANBgkq\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("server.pem", PRIVATE_KEY.format("")),
        ("server.PEM", "-----BEGIN CERTIFICATE-----\nMIIBVgIBADANBgkq\n"),
        ("tls.key", "MIIBVgIBADANBgkq"),
        ("id_rsa", PRIVATE_KEY.format("OPENSSH ")),
        ("backup.txt", "Key of the server:\n" + PRIVATE_KEY.format("RSA ")),
        ("account.json", f'{{"private_key": "{PRIVATE_KEY.format("ENCRYPTED ")}"}}'),
        ("log.txt", "Ebb and flow. " * 9_000 + PRIVATE_KEY.format("RSA ")),
        ("key.asc", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBF"),
        ("a.ppk", "PuTTY-User-Key-File-3: ssh-ed25519\n"),
        (".env", "PASSWORD=tea"),
        ("prod.env", "PASSWORD=tea"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_secrets(name: str, text: str, encoding: str) -> None:
    """Keys and passwords are no documents."""
    with pytest.raises(SecretFile, match=r"it may hold secrets, .*; copy what may be found"):
        detect(name, text.encode(encoding), KNOWN)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("keys.md", "A key begins so:\n\n" + PRIVATE_KEY.format("")),
        ("id_rsa.pub", "ssh-rsa AAAAB3NzaC1yc2E ada@example.org"),
        ("a.txt", "The private key is in the .env of the server. It says PRIVATE KEY at its top."),
    ],
)
def test_what_is_no_secret(name: str, text: str) -> None:
    """A page that explains keys, and a public one, are read."""
    assert detect(name, text.encode(), KNOWN).suffix in (".md", ".txt")


@pytest.mark.parametrize(
    "data",
    [
        b"<!---->" * 500 + b"x",
        b"<!-- a --> " * 300 + b"<p>",
        b"<?xml " * 600,
        b" \n" * 2000 + b"<!--",
        b"From " + b"1" * 4000,
        b"From " + b"a 2025 " * 2000,
        b"From a 2025\n" + b"x-" * 2000,
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a"])
def test_it_is_told_at_once(name: str, data: bytes) -> None:
    """No text makes the patterns try all ways to match it, which may take for ever."""
    start = time.perf_counter()
    assert detect(name, data, KNOWN) == FileType(".txt")
    assert time.perf_counter() - start < 2


def test_the_warning_reaches_the_document(tmp_path: Path) -> None:
    """A page called text is read as a page; a note without ending is read as text."""
    (tmp_path / "a.txt").write_bytes(PAGE)
    (tmp_path / "NOTES").write_text("Words of a note.")
    page, note = next(load(tmp_path / "a.txt")), next(load(tmp_path / "NOTES"))
    assert isinstance(page, Document)
    assert isinstance(note, Document)
    assert page.text == "Words."
    assert page.warnings == ("its name ends in .txt, but it holds HTML: read as that",)
    assert (note.text, note.warnings) == ("Words of a note.", ())
