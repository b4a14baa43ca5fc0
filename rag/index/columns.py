"""Documents, passages and files as columns of a table: both engines store them in this form.

Lists are JSON; arrays are the bytes of their numbers, in the machine's order.
"""

from __future__ import annotations

import datetime as dt
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import Any, TypeAlias

import numpy as np

from rag.index.records import FileRecord, content_key, damaged, sentence_spans
from rag.types import Document, Failure, Heading, Page, Passage, PassageEncoding, Span
from rag.types.arrays import TokenBits
from rag.types.parts import count_pages, whole_source
from rag.types.reports import FileReport

Row: TypeAlias = Mapping[str, Any]
"""Values by column."""

DOCUMENT = (
    *("id", "title", "date", "digest", "metadata", "headings", "pages", "page_labels"),
    *("warnings", "text"),
)
"""The columns of a document that its checksum covers, in order."""

PASSAGE = ("id", "document", "start", "end", "text", "sentences", "leading", "headings", "pages")
"""The columns of a passage."""

FILE = ("path", "size", "modified_ns", "digest", "reader", "failures", "seconds")
"""The columns of a file."""


def checksum(*values: str | int | bytes | None) -> int:
    """CRC-32 of a row: detects every flipped bit, and misses one in four thousand million
    changes.
    """
    found = 0
    for value in values:
        content = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
        # Includes the lengths, so that content can't move from one column to the next.
        found = zlib.crc32(content, zlib.crc32(len(content).to_bytes(8, "little"), found))
    return found


def document_columns(document: Document) -> dict[str, Any]:
    """The columns of a document, and their ``checksum``."""
    columns = {
        "id": document.id,
        "title": document.title,
        "date": document.date.isoformat() if document.date else None,
        "digest": document.digest,
        "metadata": json.dumps(dict(document.metadata), ensure_ascii=False),
        "headings": json.dumps([[h.span.start, h.span.end, h.level] for h in document.headings]),
        "pages": json.dumps([[page.start, page.end] for page in document.pages]),
        "page_labels": json.dumps(document.page_labels, ensure_ascii=False),
        "warnings": json.dumps(document.warnings, ensure_ascii=False),
        "text": document.text,
    }
    return {**columns, "checksum": checksum(*(columns[name] for name in DOCUMENT))}


def document(row: Row, source: str) -> Document:
    """A document from its columns; raises LibraryDamaged if they don't match their checksum, since
    damaged content is never shown.
    """
    if row["checksum"] != checksum(*(row[name] for name in DOCUMENT)):
        raise damaged(f"the document “{row['title']}” doesn't match its checksum")
    return Document(
        id=row["id"],
        source=source,
        title=row["title"],
        text=row["text"],
        digest=row["digest"],
        date=date(row["date"]),
        metadata=json.loads(row["metadata"]),
        headings=tuple(
            Heading(Span(start, end), level) for start, end, level in json.loads(row["headings"])
        ),
        pages=tuple(Span(start, end) for start, end in json.loads(row["pages"])),
        page_labels=tuple(json.loads(row["page_labels"])),
        warnings=tuple(json.loads(row["warnings"])),
    )


def passage_columns(passage: Passage) -> dict[str, Any]:
    """The columns of a passage, and ``content``, the hash by which its encoding is found."""
    return {
        "id": passage.id,
        "document": passage.document_id,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "sentences": sentence_spans(passage).tobytes(),
        "leading": passage.leading,
        "headings": json.dumps(passage.headings, ensure_ascii=False),
        "pages": json.dumps([(one.number, one.label, one.start) for one in passage.pages]),
        "content": content_key(passage),
    }


def passage(row: Row) -> Passage:
    """A passage from its columns."""
    spans = np.frombuffer(row["sentences"], dtype=np.int32).reshape(-1, 2).tolist()
    return Passage(
        id=row["id"],
        document_id=row["document"],
        start=row["start"],
        end=row["end"],
        text=row["text"],
        sentences=tuple(Span(first, last) for first, last in spans),
        leading=row["leading"],
        headings=tuple(json.loads(row["headings"])),
        pages=tuple(Page(*page) for page in json.loads(row["pages"])),
    )


def encoding_columns(encoding: PassageEncoding) -> dict[str, bytes]:
    """The columns of an encoding; its vectors are stored in half precision."""
    return {
        "vectors": encoding.sentences.astype(np.float16).tobytes(),
        "counts": encoding.counts.tobytes(),
        "pieces": encoding.pieces.tobytes(),
        "bits": encoding.bits.tobytes(),
    }


def token_bits(content: bytes, dimension: int) -> TokenBits:
    """Token bits, shape (tokens, ⌈dimension / 8⌉), uint8."""
    return np.frombuffer(content, dtype=np.uint8).reshape(-1, -(-dimension // 8))


def positions_by_content(passages: Sequence[Passage]) -> dict[int, list[int]]:
    """Positions of the passages by the hash by which their encodings are found."""
    found: dict[int, list[int]] = {}
    for position, one in enumerate(passages):
        found.setdefault(content_key(one), []).append(position)
    return found


def has_same_input(row: Row, passage: Passage) -> bool:
    """Whether a stored passage has the same text and sentence boundaries, and so the same
    encoding.
    """
    relative = np.frombuffer(row["sentences"], dtype=np.int32) - np.int32(row["start"])
    same = sentence_spans(passage, -passage.start).tobytes() == relative.tobytes()
    return same and passage.text == row["text"]


def file_columns(record: FileRecord) -> dict[str, Any]:
    """The columns of a file."""
    columns = {name: getattr(record, name) for name in FILE}
    return columns | {"failures": json.dumps([astuple(one) for one in record.failures])}


def file_record(row: Row) -> FileRecord:
    """A file from its columns."""
    return FileRecord(**{name: row[name] for name in FILE} | {"failures": failures(row)})


def failures(row: Row) -> tuple[Failure, ...]:
    """The failures of a file, from its column: ``[[source, reason, kind], …]``."""
    if row["failures"] == "[]":  # fast path for most files
        return ()
    return tuple(Failure(*one) for one in json.loads(row["failures"]))


def file_reports(files: Mapping[str, FileRecord], documents: Iterable[Row]) -> list[FileReport]:
    """Reports on files, by path.

    ``documents`` has a row for each document of each file: ``file``, ``path`` of its source,
    ``characters``, number of ``passages``, ``pages``, ``warnings`` and ``language``.
    """
    of_file: dict[str, list[Row]] = {path: [] for path in sorted(files)}
    for row in documents:
        of_file.setdefault(row["file"], []).append(row)
    return [
        FileReport(
            path,
            len({whole_source(row["path"]) for row in rows}),
            *count_pages((row["path"], json.loads(row["pages"])) for row in rows),
            characters=sum(row["characters"] for row in rows),
            passages=sum(row["passages"] for row in rows),
            languages=tuple(sorted({row["language"] for row in rows if row["language"]})),
            warnings=tuple(line for row in rows for line in json.loads(row["warnings"])),
            failures=files[path].failures,
            seconds=files[path].seconds,
        )
        for path, rows in of_file.items()
        if path in files
    ]


def date(text: str | None) -> dt.date | None:
    """A date from its column."""
    return dt.date.fromisoformat(text) if text else None
