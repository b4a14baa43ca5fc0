"""Detect a file's format from its name, unless its content says otherwise; and which names are
never read.

Names can be wrong: RTF or HTML exports are called .doc or .docx, PDFs are saved as .txt, mail
folders hold messages without a suffix. Formats with a signature are recognised by it; otherwise the
suffix decides. A file with any other suffix is read if it is text.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from rag.documents.character_encoding import decode
from rag.documents.content import Content, stream_of
from rag.errors import LoadError, SecretFile, UnknownFormat

_UNKNOWN = "no loader for "
"""Prefix of the failure reason for files of unsupported formats."""

_MARKS = (
    (b"%PDF-", ".pdf"),
    (b"{\\rtf", ".rtf"),
    (b"\x1f\x8b\x08", ".gz"),
    (b"\xfd7zXZ\x00", ".xz"),
)
_PDF = re.compile(rb"^%PDF-\d\.\d", re.MULTILINE)
_PDF_WITHIN = 1 << 16
"""Number of bytes among which a PDF begins; what precedes it may look like another format."""
_PDF_END, _PDF_END_WITHIN = b"startxref", 2048
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
_TAR_MARK, _TAR_MARK_AT = b"ustar", 257
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PROTECTED_OFFICE = "EncryptedPackage".encode("utf-16-le")
_OLD_TEXTS = tuple(one.encode("utf-16-le") for one in ("WordDocument", "PowerPoint Document"))
_OLD_WORKBOOKS = tuple(one.encode("utf-16-le") for one in ("Workbook\0", "Book\0"))

_OPEN_DOCUMENTS = {
    b"application/epub+zip": ".epub",
    b"application/vnd.oasis.opendocument.text": ".odt",
    b"application/vnd.oasis.opendocument.presentation": ".odp",
    b"application/vnd.oasis.opendocument.spreadsheet": ".ods",
}
_OFFICE_PARTS = {
    "word/document.xml": ".docx",
    "ppt/presentation.xml": ".pptx",
    "xl/workbook.xml": ".xlsx",
    "xl/workbook.bin": ".xlsb",
}

_DOCUMENTS = frozenset({".pdf", ".rtf", ".xls", *_OPEN_DOCUMENTS.values(), *_OFFICE_PARTS.values()})
"""Formats recognised by content alone, whatever the suffix."""

_ZIPPED = frozenset({".zip", *_OPEN_DOCUMENTS.values(), *_OFFICE_PARTS.values()})

_COMPRESSED = {".tgz": ".gz", ".tbz2": ".bz2", ".txz": ".xz"}
_PAGES = frozenset({".html", ".htm", ".xhtml", ".md", ".markdown"})
"""Formats that may contain HTML markup."""

BEGINNING = 4096
"""Number of leading bytes that distinguish formats."""

_SAMPLE = 1 << 20
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a]")
_PAGE = re.compile(
    # Atomic: without it, backtracking grows exponentially with the number of comments.
    rb"(?:\xef\xbb\xbf)?\s*+(?:<\?xml[^>]*+>\s*+)?+(?:<!--(?>.*?-->)\s*+)*+"
    rb"(?:<!doctype\s+html|<html)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,99}<\?xml\s+version")
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]*:[ \t]")
_MAIL_PROOF = re.compile(
    rb"^(?:message-id|received|mime-version|date|from|to|subject):[ \t]",
    re.IGNORECASE | re.MULTILINE,
)
_PROOFS = 3
"""Minimum number of mail headers at the start of a text for it to be a message."""

_SEPARATOR = re.compile(rb"From \S")
_YEAR = re.compile(rb"\d{4}")

_LEFT_BEHIND = frozenset(
    {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "$recycle.bin"}
)
"""Files created by macOS and Windows, in lower case."""

_LOCK = "~$"
"""Prefix of the lock files of Word, Excel and PowerPoint."""

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".gif", ".bmp", ".webp", ".heic"})
ONLY_A_PICTURE = "it is a picture, whose text needs OCR; save it as PDF and use --ocr"
_ADVICE = "save it as PDF, .docx, .html or plain text"


_SECRETS = (".pem", ".key", ".env")
"""Endings of names of text files that hold keys and passwords."""

_PRIVATE_KEY = re.compile(rb"-----? ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY|PuTTY-User-Key-File-")
_ENDS_OF_KEY_MARKS = tuple(
    "\0".join(mark).encode() if wide else mark.encode()
    for mark in ("PRIVATE KEY", "PuTTY-User-Key-File-")
    for wide in (False, True)
)
"""Ends of what the expression finds, in ASCII and as UTF-16 has it in either byte order."""
_LONGEST_KEY_MARK = 200
"""In bytes, before its end."""

_MAY_HOLD_SECRETS = (
    "it may hold secrets, such as a private key or passwords, so it isn't read; "
    "copy what may be found into another file"
)


@dataclass(frozen=True, slots=True)
class FileType:
    """Suffix of the loader to use, and a warning if the file's name says otherwise."""

    suffix: str
    warning: str | None = None


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this name is hidden, a lock file, or a system file.

    Hidden names begin with a dot; they include LibreOffice's locks (``.~lock.a.odt#``).
    """
    return name.startswith((".", _LOCK)) or name.lower() in _LEFT_BEHIND


def detect(name: str, data: Content, known: Mapping[str, bool]) -> FileType:
    """Detect the format of the file ``name`` with content ``data``, among the suffixes ``known``,
    each with whether such a file is text.

    Raises UnknownFormat if the format is not supported, SecretFile if a text may hold secrets, and
    LoadError if the file is encrypted, or if it is named as text and its content isn't.
    """
    claimed = PurePosixPath(name).suffix.lower()
    found = _by_signature(data, claimed)
    if found is None or _agree(found, claimed):
        return _by_name(name, data, known)
    if found not in known:
        raise UnknownFormat(f"{_UNKNOWN}“{found}” files, which it is; {_ADVICE}")
    if not claimed:
        return FileType(found)
    if claimed not in known and found not in _DOCUMENTS | _PAGES:
        raise UnknownFormat(f"{_UNKNOWN}“{claimed}” files; {_ADVICE}")
    return FileType(
        found, f"its name ends in {claimed}, but it holds {found[1:].upper()}: read as that"
    )


def _by_name(name: str, data: Content, known: Mapping[str, bool]) -> FileType:
    claimed = PurePosixPath(name).suffix.lower()
    is_known = claimed in known
    if is_known and not known[claimed]:
        return FileType(claimed)
    if not is_text(data):
        if is_known:
            what = _describe(data)
            raise LoadError(f"its name ends in {claimed}, but it holds no text ({what}); rename it")
        if claimed in PICTURES:
            raise UnknownFormat(ONLY_A_PICTURE)
        what = f"“{claimed}” files" if claimed else f"what it holds ({_describe(data)})"
        raise UnknownFormat(f"{_UNKNOWN}{what}; {_ADVICE}")
    if name.lower().endswith(_SECRETS) or (claimed not in _PAGES and _has_private_key(data)):
        raise SecretFile(_MAY_HOLD_SECRETS)
    return FileType(claimed if is_known else _by_content(data, known))


def _has_private_key(data: Content) -> bool:
    """Whether there is one in a text, which may be in UTF-16."""
    for mark in _ENDS_OF_KEY_MARKS:
        at = data.find(mark)
        while at >= 0:
            end = at + len(mark)
            before = data[max(at - _LONGEST_KEY_MARK, 0) : end]
            if _PRIVATE_KEY.search(before.replace(b"\0", b"")):
                return True
            at = data.find(mark, end)
    return False


def _agree(found: str, claimed: str) -> bool:
    if found == ".zip":  # rarer parts of ZIP-based formats are not distinguished
        return claimed in _ZIPPED
    if found == ".html":
        return claimed in _PAGES
    return _COMPRESSED.get(claimed, claimed) == found


def is_text(data: Content) -> bool:
    """Whether a file is text in any encoding, by its beginning."""
    if not _CONTROLS.search(data[:BEGINNING]):
        return True
    try:
        decode(data[:_SAMPLE])
    except LoadError:
        return False
    return True


def _describe(data: Content) -> str:
    import puremagic

    try:
        return puremagic.magic_string(data[: 16 * BEGINNING])[0].name or "a binary file"
    except (puremagic.PureError, ValueError, IndexError):
        return "a binary file"


def _by_signature(data: Content, claimed: str) -> str | None:
    """The format that the content proves, or None."""
    beginning = data[:BEGINNING]
    for mark, suffix in _MARKS:
        if beginning.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(mark):
            return suffix
    if _BZIP2.match(beginning):
        return ".bz2"
    if beginning.startswith(_ZIP_MARKS):
        return _zip_based(data)
    if beginning[_TAR_MARK_AT:].startswith(_TAR_MARK):
        return ".tar"
    found = None
    if _PDF.search(data[:_PDF_WITHIN]) and _PDF_END in data[-_PDF_END_WITHIN:]:
        found = ".pdf"
    elif _PAGE.match(beginning):
        found = ".html"
    elif beginning.startswith(_OLD_OFFICE):
        found = _old_office(data, claimed)
    elif claimed == ".xls" and beginning and is_text(data):  # as programs export tables
        found = ".xml" if _XML.match(beginning) else ".csv"
    return found


def _zip_based(data: Content) -> str:
    try:
        with zipfile.ZipFile(stream_of(data)) as archive:
            names = frozenset(archive.namelist())
            if "mimetype" in names:
                return _OPEN_DOCUMENTS.get(_mimetype(archive), ".zip")
    except Exception:  # noqa: BLE001 - whatever is damaged in it, its loader will say so
        return ".zip"
    return next((suffix for part, suffix in _OFFICE_PARTS.items() if part in names), ".zip")


def _mimetype(archive: zipfile.ZipFile) -> bytes:
    """The ``mimetype`` entry of an e-book or OpenDocument file; decompresses no more than a valid
    one needs.
    """
    if archive.getinfo("mimetype").compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return b""
    with archive.open("mimetype") as file:
        return file.read(100).strip()


def _old_office(data: Content, claimed: str) -> str | None:
    """Format of a compound file, by the names of its streams; None for other programs'. One that
    is called a workbook is one, even if there is a document in it.
    """
    if data.find(_PROTECTED_OFFICE) >= 0:
        raise LoadError("it is protected by a password; save a copy without one")
    is_workbook = any(data.find(name) >= 0 for name in _OLD_WORKBOOKS)
    if any(data.find(name) >= 0 for name in _OLD_TEXTS) and not (is_workbook and claimed == ".xls"):
        raise UnknownFormat(
            f"{_UNKNOWN}Word and PowerPoint files from before 2007, which it is; "
            "save it as .docx or .pptx"
        )
    return ".xls" if is_workbook else None


def _by_content(data: Content, known: Mapping[str, bool]) -> str:
    """Format of a text without a signature whose suffix says nothing: mail or XML, else text."""
    first, _, second = data[:BEGINNING].partition(b"\n")
    head = data[:BEGINNING].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    found = ".txt"
    if _SEPARATOR.match(first) and _YEAR.search(first) and _HEADER.match(second):
        found = ".mbox"
    elif _HEADER.match(head) and len(_MAIL_PROOF.findall(head)) >= _PROOFS:
        found = ".eml"
    elif _XML.match(data):
        found = ".xml"
    return found if found in known else ".txt"
