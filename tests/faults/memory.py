"""Peak memory of indexing one large file of each kind, as a table in Markdown.

Run as a program::

    python tests/faults/memory.py [--kinds text,csv,…] [--sizes 2,20,100] [--zipped] [--model real]
                                  [--reading] [--seconds 600] [--folder DIR]

Each file is made, indexed into a library of its own by a process of its own, and deleted. The
memory of that process and all that it starts is summed every 50 ms: private memory (``RssAnon``
and ``RssShmem``) and all that is resident (``VmRSS``, which counts pages of files that the system
can drop, and libraries once for each process). The first row is a file of one sentence: what the
others may exceed by 350 MB. Without ``--model real`` passages get random vectors, but the real
tokenizer counts and cuts. ``--reading`` leaves out everything after the parser.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
from hashing_embedder import HashingEmbedder

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


def repeated(size: int, unit: bytes) -> Iterator[bytes]:
    """The unit again and again."""
    block = unit * max(1, 65536 // len(unit))
    for _ in range(0, size, len(block)):
        yield block


def filled(unit: bytes, head: bytes = b"", tail: bytes = b"") -> Write:
    """The unit again and again."""

    def write(file: IO[bytes], size: int) -> None:
        file.write(head)
        file.writelines(repeated(size, unit))
        file.write(tail)

    return write


def told(head: bytes = b"", end: bytes = b"\n\n", tail: bytes = b"") -> Write:
    """Prose whose paragraphs end so."""

    def write(file: IO[bytes], size: int) -> None:
        file.write(head)
        file.writelines(part.replace(b"\n\n", end) for part in prose(size))
        file.write(tail)

    return write


def numbered(line: Callable[[int, str], str], head: bytes = b"", tail: bytes = b"") -> Write:
    """Something made of each paragraph and its number."""

    def write(file: IO[bytes], size: int) -> None:
        file.write(head)
        file.writelines(line(at, part.decode()).encode() for at, part in enumerate(prose(size)))
        file.write(tail)

    return write


def parts(part: Callable[[int], bytes], head: bytes = b"", tail: bytes = b"") -> Write:
    """Parts of 10 kB of prose, each begun by a header with its number."""

    def write(file: IO[bytes], size: int) -> None:
        file.write(head)
        for number in range(max(1, size // 10_000)):
            file.write(part(number))
            file.writelines(prose(10_000, number))
        file.write(tail)

    return write


def record(number: int, text: str) -> str:
    """A record of 500 bytes."""
    return json.dumps({"title": f"Record {number}", "text": text})


def section(number: int, text: str) -> str:
    """A paragraph under a heading of reStructuredText."""
    title = f"Section {number}"
    return f"{title}\n{'=' * len(title)}\n\n{text}"


def digits(file: IO[bytes], size: int) -> None:
    """Numbers only."""
    chance = random.Random(1)  # noqa: S311
    file.writelines(b"%d\n" % chance.getrandbits(60) for _ in range(size // 19))


def chinese(file: IO[bytes], size: int) -> None:
    """Han characters."""
    chance = random.Random(2)  # noqa: S311
    letters = [chr(code) for code in range(0x4E00, 0x5E00)]
    for _ in range(size // 300):
        file.write(("".join(chance.choices(letters, k=99)) + "。").encode())


def html_small(file: IO[bytes], size: int) -> None:
    """Many paragraphs."""
    file.write(b"<html><head><title>Report</title></head><body>")
    file.writelines(b"<p>" + part + b"</p>" for part in prose(size))


def csv_long(file: IO[bytes], size: int) -> None:
    """Five columns."""
    file.write(b"name,place,born,worth,remark\n")
    for number in count():
        line = b"person %d,city %d,%d,%d.50,some words of no weight\n"
        size -= file.write(line % (number, number % 99, 1900 + number % 99, number * 7 % 1000))
        if size < 0:
            return


def csv_wide(file: IO[bytes], size: int) -> None:
    """50,000 columns."""
    file.write(",".join(f"label {number}" for number in range(50_000)).encode() + b"\n")
    row = ",".join(f"cell {number}" for number in range(50_000)).encode() + b"\n"
    file.writelines(row for _ in range(0, size, len(row)))


_XML = b'<?xml version="1.0" encoding="UTF-8"?>'
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_CONTENT = "http://schemas.openxmlformats.org/package/2006/content-types"


def packed(
    file: IO[bytes], parts: dict[str, bytes | Callable[[IO[bytes]], None]], level: int = 1
) -> None:
    """A ZIP of these parts."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, content in parts.items():
            with archive.open(name, "w", force_zip64=True) as part:
                if isinstance(content, bytes):
                    part.write(content)
                else:
                    content(part)  # type: ignore[arg-type]


def _relation(kind: str, target: str) -> bytes:
    return (
        _XML
        + (
            f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" Type="{_OFFICE}/{kind}" '
            f'Target="{target}"/></Relationships>'
        ).encode()
    )


def docx(file: IO[bytes], size: int) -> None:
    """Paragraphs; ``size`` is that of the file's main part."""
    name = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"

    def body(part: IO[bytes]) -> None:
        part.write(_XML + f'<w:document xmlns:w="{name}"><w:body>'.encode())
        for words in prose(size):
            part.write(b"<w:p><w:r><w:t>" + words.strip() + b"</w:t></w:r></w:p>")
        part.write(b"</w:body></w:document>")

    packed(
        file,
        {
            "[Content_Types].xml": _XML + f'<Types xmlns="{_CONTENT}"/>'.encode(),
            "_rels/.rels": _relation("officeDocument", "word/document.xml"),
            "word/document.xml": body,
        },
    )


def odt(file: IO[bytes], size: int) -> None:
    """Paragraphs; ``size`` is that of the file's main part."""
    name = "urn:oasis:names:tc:opendocument:xmlns"

    def body(part: IO[bytes]) -> None:
        part.write(
            _XML
            + (
                f'<office:document-content xmlns:office="{name}:office:1.0" '
                f'xmlns:text="{name}:text:1.0"><office:body><office:text>'
            ).encode()
        )
        for words in prose(size):
            part.write(b"<text:p>" + words.strip() + b"</text:p>")
        part.write(b"</office:text></office:body></office:document-content>")

    packed(file, {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": body})


def pptx(file: IO[bytes], size: int) -> None:
    """Slides of one picture of 1 MB and one paragraph each."""
    from pptx import Presentation  # type: ignore[import-untyped,unused-ignore]
    from pptx.util import Inches  # type: ignore[import-untyped,unused-ignore]

    deck = Presentation()
    for number, words in zip(range(max(1, size // MB)), prose(size), strict=False):
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        slide.shapes.title.text = f"Slide {number}"
        slide.shapes.add_textbox(0, 0, Inches(5), Inches(5)).text_frame.text = words.decode()
        slide.shapes.add_picture(_bitmap(number), 0, 0)
    deck.save(file)


def _bitmap(seed: int) -> IO[bytes]:
    """A PNG of noise, about 1 MB."""
    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 255, (580, 580, 3), dtype=np.uint8)
    picture = io.BytesIO()
    Image.fromarray(pixels).save(picture, "PNG")
    picture.seek(0)
    return picture


def epub(file: IO[bytes], size: int) -> None:
    """Chapters of 100 kB; ``size`` is that of them together."""
    numbers = range(max(1, size // 100_000))
    items = "".join(
        f'<item id="c{n}" href="{n}.xhtml" media-type="application/xhtml+xml"/>' for n in numbers
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in numbers)
    name = "urn:oasis:names:tc:opendocument:xmlns:container"
    parts: dict[str, bytes | Callable[[IO[bytes]], None]] = {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": (
            f'<container version="1.0" xmlns="{name}"><rootfiles><rootfile full-path="b.opf" '
            'media-type="application/oebps-package+xml"/></rootfiles></container>'
        ).encode(),
        "b.opf": (
            '<package version="3.0" xmlns="http://www.idpf.org/2007/opf"><metadata/>'
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
        ).encode(),
    }
    for number in numbers:
        body = b"".join(b"<p>" + words + b"</p>" for words in prose(100_000, number))
        parts[f"{number}.xhtml"] = b"<html><body><h1>C</h1>" + body + b"</body></html>"
    packed(file, parts)


_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def _workbook(
    file: IO[bytes], sheet: Callable[[IO[bytes]], None], strings: Callable[[IO[bytes]], None]
) -> None:
    relations = (
        f'<Relationships xmlns="{_RELATIONS}">'
        f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
        "</Relationships>"
    )
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    types = (
        f'<Types xmlns="{_CONTENT}">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{main}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{main}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{main}.sharedStrings+xml"/>'
        "</Types>"
    )
    book = (
        f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Data" sheetId="1" r:id="r1"/></sheets></workbook>'
    )
    packed(
        file,
        {
            "[Content_Types].xml": _XML + types.encode(),
            "_rels/.rels": _relation("officeDocument", "xl/workbook.xml"),
            "xl/workbook.xml": _XML + book.encode(),
            "xl/_rels/workbook.xml.rels": _XML + relations.encode(),
            "xl/sharedStrings.xml": strings,
            "xl/worksheets/sheet1.xml": sheet,
        },
    )


def _strings(number: int, words: bytes = b"string %d") -> Callable[[IO[bytes]], None]:
    def write(part: IO[bytes]) -> None:
        part.write(_XML + f'<sst xmlns="{_SHEET}">'.encode())
        for index in range(number):
            part.write(b"<si><t>" + words % index + b"</t></si>")
        part.write(b"</sst>")

    return write


def _rows(rows: int, cells: int) -> Callable[[IO[bytes]], None]:
    def write(part: IO[bytes]) -> None:
        part.write(_XML + f'<worksheet xmlns="{_SHEET}"><sheetData>'.encode())
        for row in range(rows):
            part.write(b"<row>")
            for cell in range(cells):
                part.write(b'<c t="s"><v>%d</v></c>' % ((row * cells + cell) % 1000))
            part.write(b"</row>")
        part.write(b"</sheetData></worksheet>")

    return write


def xlsx_long(file: IO[bytes], size: int) -> None:
    """Rows of five cells; a million at 100 MB."""
    _workbook(file, _rows(size // 100, 5), _strings(1000))


def xlsx_wide(file: IO[bytes], size: int) -> None:
    """Rows of 16,384 cells; ``size`` is that of the sheet."""
    _workbook(file, _rows(max(2, size // (16_384 * 24)), 16_384), _strings(1000))


def xlsx_strings(file: IO[bytes], size: int) -> None:
    """Shared strings of 30 characters; ``size`` is that of them together."""
    _workbook(file, _rows(1000, 2), _strings(size // 45, b"a shared string, number %d"))


def pdf(file: IO[bytes], size: int) -> None:
    """Pages of prose; 10,000 of them at 100 MB."""
    _pages(file, max(2, size // 10_000))


def _pages(file: IO[bytes], pages: int, picture: bytes = b"") -> None:
    """A PDF made by hand: each page a stream of text, and a picture where there is one."""
    chance = random.Random(3)  # noqa: S311
    places: dict[int, int] = {}
    at = 0

    def put(content: bytes, number: int = 0) -> None:
        nonlocal at
        if number:
            places[number] = at
            content = b"%d 0 obj\n%s\nendobj\n" % (number, content)
        at += file.write(content)

    put(b"%PDF-1.4\n")
    put(b"<</Type/Catalog/Pages 2 0 R>>", 1)
    put(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>", 3)
    kids = b" ".join(b"%d 0 R" % (10 + 3 * number) for number in range(pages))
    put(b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages), 2)
    for number in range(pages):
        page, content, image = (10 + 3 * number + more for more in range(3))
        lines = [" ".join(chance.choices(WORDS, k=12)) for _ in range(40)]
        shown = (
            b"/I Do"
            if picture
            else b"BT /F 10 Tf 12 TL 50 750 Td %s ET"
            % b" ".join(b"(%s) '" % line.encode() for line in lines)
        )
        resources = b"/XObject<</I %d 0 R>>" % image if picture else b"/Font<</F 3 0 R>>"
        put(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R/Resources<<%s>>>>"
            % (content, resources),
            page,
        )
        if picture:
            shown = b"q 612 0 0 792 0 0 cm %s Q" % shown
        put(b"<</Length %d>>stream\n%s\nendstream" % (len(shown), shown), content)
        if picture:
            put(
                b"<</Type/XObject/Subtype/Image/Width 1275/Height 1650/ColorSpace/DeviceGray"
                b"/BitsPerComponent 8/Filter/DCTDecode/Length %d>>stream\n%s\nendstream"
                % (len(picture), picture),
                image,
            )
    table = at
    numbers = sorted(places)
    put(b"xref\n0 1\n0000000000 65535 f \n")
    for number in numbers:
        put(b"%d 1\n%010d 00000 n \n" % (number, places[number]))
    put(b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF" % (numbers[-1] + 1, table))


def pdf_scanned(file: IO[bytes], size: int) -> None:
    """Pages that are pictures of 0.6 MB, not read, but the first, which has text."""
    from PIL import Image

    noise = np.random.default_rng(4).integers(100, 255, (1650, 1275), dtype=np.uint8)
    picture = io.BytesIO()
    Image.fromarray(noise).save(picture, "JPEG", quality=40)
    _pages(file, max(2, size // len(picture.getvalue())), picture.getvalue())


def zip_bomb(file: IO[bytes], size: int) -> None:
    """Punctuation, packed as small as it goes: 6 KB for 2 MB."""
    packed(file, {"a.txt": lambda part: PUNCTUATION(part, size)}, level=9)


def zip_members(file: IO[bytes], size: int) -> None:
    """Empty members; a million at 100 MB."""
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(size // 100):
            archive.writestr(zipfile.ZipInfo(f"{number}.txt"), b"")


def tar_texts(file: IO[bytes], size: int) -> None:
    """Members of 100 kB."""
    with tarfile.open(fileobj=file, mode="w") as archive:
        for number in range(max(1, size // 100_000)):
            content = b"".join(prose(100_000, number))
            entry = tarfile.TarInfo(f"{number}.txt")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def gz_text(file: IO[bytes], size: int) -> None:
    """Prose; ``size`` is that of what comes out."""
    with gzip.open(file, "wb", compresslevel=1) as packed_file:
        packed_file.writelines(prose(size))


PUNCTUATION = filled(b"!?.,;:-()", b"word ")
"""Every character a token, after one word."""

_MAIL = b"From: a@example.org\nSubject: "
_MBOX = b"From a@b.c Wed Mar  5 10:00:00 2025\nFrom: a@b.c\nSubject: "
_MULTIPART = b'From: a@b.c\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="x"\n\n'
_ATTACHED = b'--x\nContent-Type: text/plain\nContent-Disposition: attachment; filename="%d.txt"\n\n'
_HTML = b"<html><body>"

KINDS: dict[str, tuple[str, Write]] = {
    "text": (".txt", told()),
    "one line": (".txt", told(end=b" ")),
    "letters": (".txt", filled(b"abcdefghij")),
    "punctuation": (".txt", PUNCTUATION),
    "digits": (".txt", digits),
    "chinese": (".txt", chinese),
    "short lines": (".txt", filled(b"ab\n")),
    "html": (".html", html_small),
    "html, one p": (".html", told(_HTML + b"<p>", b" ")),
    "html, deep": (".html", filled(b"<div>", _HTML + b"word ")),
    "html, wide": (".html", filled(b"<b>a</b>", _HTML + b"word ")),
    "html, table": (
        ".html",
        filled(b"<tr><td>some</td><td>cell</td></tr>\n", _HTML + b"<table>"),
    ),
    "mail": (".eml", told(_MAIL + b"Minutes\n\n")),
    "mail, attachments": (".eml", parts(lambda n: _ATTACHED % n, _MULTIPART, b"--x--\n")),
    "mail, header": (".eml", told(_MAIL, b"\n ", b"\n\nBody.\n")),
    "mbox": (".mbox", parts(lambda n: _MBOX + b"%d\n\n" % n)),
    "mbox, zeros": (".mbox", filled(b"\0", _MBOX + b"s\n\nWords.\n")),
    "json": (".json", numbered(lambda n, text: ",\n" * (n > 0) + record(n, text), b"[", b"]")),
    "json, numbers": (".json", filled(b",1", b"[0", b"]")),
    "json, string": (".json", told(b'{"text": "', b"\\n\\n", b'"}')),
    "json, deep": (".json", filled(b"[")),
    "jsonl": (".jsonl", numbered(lambda n, text: record(n, text) + "\n")),
    "jsonl, one": (".jsonl", told(b'{"text": "', b"\\n\\n", b'"}\n')),
    "csv": (".csv", csv_long),
    "csv, wide": (".csv", csv_wide),
    "csv, one cell": (".csv", told(b'a,b\n1,"')),
    "xlsx": (".xlsx", xlsx_long),
    "xlsx, wide": (".xlsx", xlsx_wide),
    "xlsx, strings": (".xlsx", xlsx_strings),
    "docx": (".docx", docx),
    "odt": (".odt", odt),
    "pptx": (".pptx", pptx),
    "epub": (".epub", epub),
    "rtf": (".rtf", told(rb"{\rtf1\ansi ", b"\\par\n", b"}")),
    "pdf": (".pdf", pdf),
    "pdf, scanned": (".pdf", pdf_scanned),
    "markdown": (".md", numbered(lambda n, text: f"## Section {n}\n\n{text}")),
    "rst": (".rst", numbered(section)),
    "zip bomb": (".zip", zip_bomb),
    "zip, empty members": (".zip", zip_members),
    "tar": (".tar", tar_texts),
    "gz": (".txt.gz", gz_text),
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
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    reason = failures[0].reason if failures else ""
    print(json.dumps({"documents": documents, "failure": reason, "worker": peak}))


def measured(path: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """Peak memory in MB while the file is indexed, the time, and what came of it."""
    library = Path(tempfile.mkdtemp(dir=arguments.folder))
    command = [sys.executable, __file__, "--index", str(path), "--folder", str(library)]
    command += ["--model", arguments.model, *(["--reading"] if arguments.reading else [])]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    private = resident = 0.0
    late = False
    while process.poll() is None:
        mine, all_of_it = _memory(process.pid)
        private, resident = max(private, mine), max(resident, all_of_it)
        if time.monotonic() - began > arguments.seconds:
            late = True
            for pid in _family(process.pid):
                _kill(pid)
        time.sleep(INTERVAL)
    output = process.stdout.read() if process.stdout else ""
    shutil.rmtree(library)
    found = json.loads(output.splitlines()[-1]) if output.strip() else {}
    return {
        "private": private,
        "resident": resident,
        "seconds": time.monotonic() - began,
        "documents": found.get("documents", "-"),
        "failure": found.get("failure", "stopped" if late else f"exit {process.returncode}"),
    }


def _family(pid: int) -> list[int]:
    """The process and all that it has started."""
    found = [pid]
    for one in found:
        for listing in Path(f"/proc/{one}/task").glob("*/children"):
            with suppress(OSError):  # it ended
                found += map(int, listing.read_text().split())
    return found


def _memory(pid: int) -> tuple[float, float]:
    """Private and resident memory of a process and what it has started, in MB."""
    private = resident = 0
    for one in _family(pid):
        try:
            status = Path(f"/proc/{one}/status").read_text()
        except OSError:
            continue
        sizes = {name: int(size) for name, size in re.findall(r"(\w+):\s+(\d+) kB", status)}
        private += sizes.get("RssAnon", 0) + sizes.get("RssShmem", 0)
        resident += sizes.get("VmRSS", 0)
    return private / 1024, resident / 1024


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


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
    kinds = [one for one in arguments.kinds.split(";") if one] or list(KINDS)
    small = arguments.folder / "small.txt"
    small.write_bytes(SMALL)
    base = measured(small, arguments)
    print(
        "| kind | MB | file MB | private MB | above small | resident MB | above small "
        "| s | came of it |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|---|")
    _row("small", "", small, base, base)
    for kind in kinds:
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
            _row(kind, f"{size:g}", path, measured(path, arguments), base)
            path.unlink()


def _row(
    kind: str, size: str, path: Path, found: dict[str, object], base: dict[str, object]
) -> None:
    above = [float(found[name]) - float(base[name]) for name in ("private", "resident")]  # type: ignore[arg-type]
    marks = ["**" if one > ALLOWED else "" for one in above]
    came = found["failure"] or f"{found['documents']} documents"
    print(
        f"| {kind} | {size} | {path.stat().st_size / MB:.1f} "
        f"| {found['private']:.0f} | {marks[0]}{above[0]:.0f}{marks[0]} "
        f"| {found['resident']:.0f} | {marks[1]}{above[1]:.0f}{marks[1]} "
        f"| {found['seconds']:.1f} | {came} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
