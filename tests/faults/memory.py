"""Peak memory of indexing one large file of each kind, as a table in Markdown.

Run as a program::

    PYTHONPATH=tests/support python tests/faults/memory.py [--kinds "text;csv;…"]
        [--sizes 2,20,100] [--zipped] [--model real] [--reading] [--seconds 600] [--folder DIR]

Each file is made, indexed into a library of its own by a process of its own, and deleted. The
private memory of that process and all that it starts (``RssAnon`` and ``RssShmem``) is summed every
50 ms. The first row is a file of one sentence: what the others may exceed by 350 MB. Without
``--model real`` passages get random vectors, but the real tokenizer counts and cuts. ``--reading``
leaves out everything after the parser.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
import openpyxl
from hashing_embedder import HashingEmbedder
from many_files import open_document, word, zipped
from reportlab.pdfgen.canvas import Canvas

from rag import Library
from rag.documents.registry import ReadOptions
from rag.documents.sandbox.reader import ReadFile, read
from rag.models.embedder import SentenceTransformerEmbedder
from rag.runtime.threads import limit_arenas
from rag.types import Failure
from rag.types.arrays import Offsets, TokenVectors

Write: TypeAlias = Callable[[IO[bytes], int], None]
"""Write a file of about so many bytes."""

MB = 1_000_000
SMALL = b"A file of one sentence tells what the others may exceed.\n"
INTERVAL = 0.05
_WORDS = (
    "harbour ledger granite meadow copper lantern orchard signal velvet thunder quarry bishop "
    "cabinet dialect engine fathom glacier hammer island journal kernel ladder mirror needle the "
    "of and to in is was for that with on as by at from his her it an be this are or"
)
WORDS = _WORDS.split()
ALLOWED = 350
"""Megabytes above what the small file takes."""


def prose(size: int, seed: int = 0) -> Iterator[bytes]:
    """Paragraphs of made-up sentences, ``size`` bytes in all."""
    chance = random.Random(seed)  # noqa: S311
    written = 0
    while written < size:
        sentences = (
            " ".join(chance.choices(WORDS, k=chance.randint(6, 20))).capitalize() + "."
            for _ in range(5)
        )
        paragraph = " ".join(sentences).encode() + b"\n\n"
        yield paragraph
        written += len(paragraph)


def surrounded(
    body: Callable[[int], Iterable[bytes]], head: bytes = b"", tail: bytes = b""
) -> Write:
    """Something of the given size, between a head and a tail."""

    def write(file: IO[bytes], size: int) -> None:
        file.write(head)
        file.writelines(body(size))
        file.write(tail)

    return write


def filled(unit: bytes, head: bytes = b"", tail: bytes = b"") -> Write:
    """The unit again and again."""
    block = unit * max(1, 65536 // len(unit))
    return surrounded(lambda size: (block for _ in range(0, size, len(block))), head, tail)


def prose_file(head: bytes = b"", end: bytes = b"\n\n", tail: bytes = b"") -> Write:
    """Prose whose paragraphs end so."""
    return surrounded(lambda size: (part.replace(b"\n\n", end) for part in prose(size)), head, tail)


def numbered(line: Callable[[int, str], str], head: bytes = b"", tail: bytes = b"") -> Write:
    """Something made of each paragraph and its number."""
    return surrounded(
        lambda size: (line(at, part.decode()).encode() for at, part in enumerate(prose(size))),
        head,
        tail,
    )


def parts(part: Callable[[int], bytes], head: bytes = b"", tail: bytes = b"") -> Write:
    """Parts of 10 kB of prose, each begun by a header with its number."""
    return surrounded(
        lambda size: (
            some
            for number in range(max(1, size // 10_000))
            for some in (part(number), *prose(10_000, number))
        ),
        head,
        tail,
    )


def record(number: int, text: str) -> str:
    """A record of 500 bytes."""
    return json.dumps({"title": f"Record {number}", "text": text})


def digits(size: int) -> Iterator[bytes]:
    """Numbers only."""
    chance = random.Random(1)  # noqa: S311
    return (b"%d\n" % chance.getrandbits(60) for _ in range(size // 19))


def chinese(size: int) -> Iterator[bytes]:
    """Han characters."""
    chance = random.Random(2)  # noqa: S311
    letters = [chr(code) for code in range(0x4E00, 0x5E00)]
    return (("".join(chance.choices(letters, k=99)) + "。").encode() for _ in range(size // 300))


def persons(size: int) -> Iterator[bytes]:
    """Rows of five columns."""
    for number in range(size // 50):
        yield b"person %d,city %d,%d,%d.50,some words of no weight\n" % (
            *(number, number % 99),
            *(1900 + number % 99, number * 7 % 1000),
        )


def wide_rows(size: int) -> Iterator[bytes]:
    """Rows of 50,000 columns."""
    row = ",".join(f"cell {number}" for number in range(50_000)).encode() + b"\n"
    return (row for _ in range(0, size, len(row)))


def docx(file: IO[bytes], size: int) -> None:
    """Paragraphs; ``size`` is that of the file's main part."""
    name = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    paragraphs = b"".join(
        b"<w:p><w:r><w:t>%s</w:t></w:r></w:p>" % words.strip() for words in prose(size)
    )
    body = f'<w:document xmlns:w="{name}"><w:body>'.encode() + paragraphs
    with_part(file, word(0), "word/document.xml", body + b"</w:body></w:document>")


def odt(file: IO[bytes], size: int) -> None:
    """Paragraphs; ``size`` is that of the file's main part."""
    name = "urn:oasis:names:tc:opendocument:xmlns"
    body = (
        f'<office:document-content xmlns:office="{name}:office:1.0" '
        f'xmlns:text="{name}:text:1.0"><office:body><office:text>'
    ).encode() + b"".join(b"<text:p>%s</text:p>" % words.strip() for words in prose(size))
    ends = b"</office:text></office:body></office:document-content>"
    with_part(file, open_document(0), "content.xml", body + ends)


def with_part(file: IO[bytes], package: bytes, name: str, content: bytes) -> None:
    """Write a package with another part in place of one of its own."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        parts = {one: archive.read(one) for one in archive.namelist()}
    file.write(zipped({**parts, name: content}))


def workbook(columns: int, bytes_a_cell: int, cell: Callable[[int], str]) -> Write:
    """Rows of cells; ``size`` is about that of the sheet, or of its strings."""

    def write(file: IO[bytes], size: int) -> None:
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("Data")
        for row in range(max(2, size // (bytes_a_cell * columns))):
            sheet.append([cell(row * columns + column) for column in range(columns)])
        book.save(file)

    return write


def pdf(file: IO[bytes], size: int) -> None:
    """Pages of prose; 10,000 of them at 100 MB."""
    chance = random.Random(3)  # noqa: S311
    canvas = Canvas(file, pageCompression=0)
    for _ in range(max(2, size // 10_000)):
        for line in range(40):
            canvas.drawString(50, 750 - 12 * line, " ".join(chance.choices(WORDS, k=12)))
        canvas.showPage()
    canvas.save()


_MAIL = b"From: a@example.org\nSubject: "
_MBOX = b"From a@b.c Wed Mar  5 10:00:00 2025\nFrom: a@b.c\nSubject: "
_MULTIPART = b'From: a@b.c\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="x"\n\n'
_ATTACHED = b'--x\nContent-Type: text/plain\nContent-Disposition: attachment; filename="%d.txt"\n\n'
_HTML = b"<html><body>"
_LABELS = ",".join(f"label {number}" for number in range(50_000)).encode() + b"\n"

KINDS: dict[str, tuple[str, Write]] = {
    "text": (".txt", prose_file()),
    "one line": (".txt", prose_file(end=b" ")),
    "letters": (".txt", filled(b"abcdefghij")),
    "punctuation": (".txt", filled(b"!?.,;:-()", b"word ")),
    "digits": (".txt", surrounded(digits)),
    "chinese": (".txt", surrounded(chinese)),
    "short lines": (".txt", filled(b"ab\n")),
    "html": (".html", prose_file(_HTML + b"<p>", b"</p><p>")),
    "html, one p": (".html", prose_file(_HTML + b"<p>", b" ")),
    "html, deep": (".html", filled(b"<div>", _HTML + b"word ")),
    "html, wide": (".html", filled(b"<b>a</b>", _HTML + b"word ")),
    "html, table": (
        ".html",
        filled(b"<tr><td>some</td><td>cell</td></tr>\n", _HTML + b"<table>"),
    ),
    "mail": (".eml", prose_file(_MAIL + b"Minutes\n\n")),
    "mail, attachments": (".eml", parts(lambda n: _ATTACHED % n, _MULTIPART, b"--x--\n")),
    "mail, header": (".eml", prose_file(_MAIL, b"\n ", b"\n\nBody.\n")),
    "mbox": (".mbox", parts(lambda n: _MBOX + b"%d\n\n" % n)),
    "mbox, zeros": (".mbox", filled(b"\0", _MBOX + b"s\n\nWords.\n")),
    "json": (".json", numbered(lambda n, text: ",\n" * (n > 0) + record(n, text), b"[", b"]")),
    "json, numbers": (".json", filled(b",1", b"[0", b"]")),
    "json, string": (".json", prose_file(b'{"text": "', b"\\n\\n", b'"}')),
    "json, deep": (".json", filled(b"[")),
    "jsonl": (".jsonl", numbered(lambda n, text: record(n, text) + "\n")),
    "jsonl, one": (".jsonl", prose_file(b'{"text": "', b"\\n\\n", b'"}\n')),
    "csv": (".csv", surrounded(persons, b"name,place,born,worth,remark\n")),
    "csv, wide": (".csv", surrounded(wide_rows, _LABELS)),
    "csv, one cell": (".csv", prose_file(b'a,b\n1,"')),
    "xlsx": (".xlsx", workbook(5, 20, lambda n: f"string {n % 1000}")),
    "xlsx, wide": (".xlsx", workbook(16_384, 24, lambda n: f"string {n % 1000}")),
    "xlsx, strings": (".xlsx", workbook(2, 45, lambda n: f"a shared string, number {n}")),
    "docx": (".docx", docx),
    "odt": (".odt", odt),
    "pdf": (".pdf", pdf),
}


class RandomEmbedder(HashingEmbedder):
    """The packaged model's tokenizer, and for each token a random direction."""

    name = "random"
    fingerprint = "random 1"
    dimension = 384

    def __init__(self) -> None:
        self._real = SentenceTransformerEmbedder()
        self.window = self._real.window
        self._directions = np.random.default_rng(5).normal(size=(1 << 15, 384)).astype(np.float32)

    def tokens(self, text: str) -> Offsets:
        """The tokens as the model has them."""
        return self._real.tokens(text)

    def _look_up(self, text: str, tokens: Offsets) -> tuple[np.ndarray, TokenVectors]:
        words = (text[start:end].lower().encode() for start, end in tokens.tolist())
        pieces = np.fromiter((zlib.crc32(word) & 0x7FFF for word in words), np.int32, len(tokens))
        return pieces, self._directions[pieces]


def index(path: Path, library: Path, *, model: str, reading: bool) -> None:
    """Index one file, and print what became of it; runs in a process of its own."""
    limit_arenas()  # as the command does
    if reading:
        documents, failures = 0, list[Failure]()
        for one in read([path], options=ReadOptions()):
            if isinstance(one, ReadFile):
                failures += one.failures
            elif isinstance(one, tuple):
                documents += 1
    else:
        embedder = SentenceTransformerEmbedder() if model == "real" else RandomEmbedder()
        with Library.open(library, embedder=embedder) as opened:
            report = opened.index(path)
            documents, failures = opened.status().documents, list(report.failed)
    print(failures[0].reason if failures else f"{documents} documents")


def measured(path: Path, arguments: argparse.Namespace) -> tuple[float, float, str]:
    """Peak of private memory in MB while the file is indexed, seconds, and what came of it."""
    library = Path(tempfile.mkdtemp(dir=arguments.folder))
    command = [sys.executable, __file__, "--index", str(path), "--folder", str(library)]
    command += ["--model", arguments.model, *(["--reading"] if arguments.reading else [])]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    private, late = 0.0, False
    while process.poll() is None:
        private = max(private, _memory(process.pid))
        if time.monotonic() - began > arguments.seconds:
            late = True
            for pid in _family(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(INTERVAL)
    assert process.stdout
    said = process.stdout.read().strip() or ("stopped" if late else f"exit {process.returncode}")
    shutil.rmtree(library)
    return private, time.monotonic() - began, said.splitlines()[-1]


def _family(pid: int) -> list[int]:
    """The process and all that it has started."""
    found = [pid]
    for one in found:
        for listing in Path(f"/proc/{one}/task").glob("*/children"):
            with suppress(OSError):  # it ended
                found += map(int, listing.read_text().split())
    return found


def _memory(pid: int) -> float:
    """Private memory of a process and what it has started, in MB."""
    private = 0
    for one in _family(pid):
        with suppress(OSError):  # it ended
            status = Path(f"/proc/{one}/status").read_text()
            private += sum(map(int, re.findall(r"Rss(?:Anon|Shmem):\s+(\d+) kB", status)))
    return private / 1024


def main() -> None:
    """Make, index and measure each file; print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kinds", default="")
    parser.add_argument("--sizes", default="2,20,100")
    parser.add_argument("--zipped", action="store_true")
    parser.add_argument("--model", choices=["fast", "real"], default="fast")
    parser.add_argument("--reading", action="store_true")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--index", type=Path, default=None)
    arguments = parser.parse_args()
    if arguments.index:
        library = arguments.folder / "library"
        index(arguments.index, library, model=arguments.model, reading=arguments.reading)
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        arguments.folder = Path(folder)
        _table(arguments)


def _table(arguments: argparse.Namespace) -> None:
    small = arguments.folder / "small.txt"
    small.write_bytes(SMALL)
    base = measured(small, arguments)
    print("| kind | MB | file MB | private MB | above small | s | came of it |")
    print("|---|--:|--:|--:|--:|--:|---|")
    _row("small | ", small, base, base)
    for kind in [one for one in arguments.kinds.split(";") if one] or list(KINDS):
        suffix, write = KINDS[kind]
        for size in map(float, arguments.sizes.split(",")):
            path = arguments.folder / f"file{suffix}"
            with path.open("wb") as file:
                write(file, int(size * MB))
            if arguments.zipped:
                plain, path = path, path.with_name("file.zip")
                with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                    archive.write(plain, plain.name)
                plain.unlink()
            _row(f"{kind} | {size:g}", path, measured(path, arguments), base)
            path.unlink()


def _row(
    kind: str, path: Path, found: tuple[float, float, str], base: tuple[float, float, str]
) -> None:
    private, seconds, came = found
    above = private - base[0]
    mark = "**" if above > ALLOWED else ""
    print(
        f"| {kind} | {path.stat().st_size / MB:.1f} | {private:.0f} | {mark}{above:.0f}{mark} "
        f"| {seconds:.1f} | {came} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
