"""Convert documents, passages and files to table rows and back.

The document fields a search needs are stored with each passage, so that a query reads one table at
one version, and nothing it retrieves can have changed meanwhile.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from rag.cluster.lance.filter_sql import SEPARATOR
from rag.cluster.lance.revisions import DocumentSources
from rag.index.sqlite import (
    FileRecord,
    StoredPassage,
    StoredTokens,
    checksum,
    content_key,
    damaged,
    failures_from_json,
    failures_to_json,
    sentence_spans,
)
from rag.text.analyzers import Analysis
from rag.types import (
    Document,
    DocumentSummary,
    Heading,
    Page,
    Passage,
    PassageEncoding,
    Span,
)
from rag.types.arrays import TokenBits, Vectors
from rag.types.parts import is_further_part, whole_source

Row: TypeAlias = Mapping[str, Any]
"""Values by column."""

PASSAGE = (
    *("id", "document", "start", "end", "text", "sentences", "leading", "headings", "pages"),
    *("title", "date", "date_from", "sources", "content"),
)
"""The columns of a :class:`StoredPassage`."""

TOKENS = ("counts", "bits", "title_bits", "text", "document", "start")
"""The columns of a :class:`StoredTokens`."""

WORDS = ("stems", "context")
"""The columns of stems, for term counts."""

ENCODING = ("text", "start", "sentences", "content", "vectors", "counts", "pieces", "bits")
"""The columns of a :class:`PassageEncoding` of the same text."""

DOCUMENT = (
    *("id", "title", "date", "digest", "metadata", "headings", "pages", "page_labels"),
    *("warnings", "text"),
)
"""The document columns covered by its checksum."""

SIGNED = (
    *("id", "document", "start", "end", "text", "sentences", "leading", "headings", "pages"),
    *("content", "vectors", "counts", "pieces", "bits", "title_bits"),
)
"""The passage columns covered by its checksum."""

SUMMARY = (
    *("id", "title", "paths", "date", "passages", "date_from", "language", "page_count"),
    "warnings",
)
"""The columns of a :class:`DocumentSummary`."""


FILE = ("path", "size", "modified_ns", "digest", "reader", "failures", "seconds")
"""The columns of a file."""


def space_padded(words: Sequence[str]) -> str:
    """Join words with a space before and after each; empty if there are none."""
    return f" {' '.join(words)} " if any(words) else ""


def literal_words(text: str, analysis: Analysis) -> str:
    """The literal words of a text, each with a space before and after, so that phrase matching is
    substring search; empty if there are none.
    """
    written, before = [], -1
    for position, word in analysis.phrase(text):
        # Punctuation or other text between two words keeps them apart.
        written += [""] * (position - before - 1) + [word]
        before = position
    return space_padded(written)


def document_row(
    document: Document, held: DocumentSources, passages: Sequence[Passage]
) -> dict[str, object]:
    """Row of a document."""
    facts: dict[str, Any] = {
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
    return {
        **facts,
        "checksum": checksum(*(facts[name] for name in DOCUMENT)),
        **held.columns(),
        **_of_document(document),
        "page_count": len(document.pages),
        "characters": len(document.text),
        "passages": len(passages),
        "sentences": sum(len(one.sentences) for one in passages),
    }


def _of_document(document: Document) -> dict[str, object]:
    """The filter columns of both tables."""
    return {
        "folded": document.title.casefold(),
        "language": document.metadata.get("language"),
        "facts": [name + SEPARATOR + value for name, value in document.metadata.items()],
        "date_from": document.metadata.get("date_from"),
    }


def passage_rows(
    document: Document,
    held: DocumentSources,
    passages: Sequence[Passage],
    encodings: Sequence[PassageEncoding],
    analysis: Analysis,
) -> list[dict[str, object]]:
    """Rows of all passages of a document; the title's tokens are taken from the first."""
    title = title_bits(passages, encodings)
    language = document.metadata.get("language")
    common = {
        "document": document.id,
        "title": document.title,
        "date": document.date.isoformat() if document.date else None,
        "title_bits": title.tobytes(),
        **held.of_passages(),
        **_of_document(document),
    }
    made = [
        {
            **common,
            "id": passage.id,
            "start": passage.start,
            "end": passage.end,
            "text": passage.text,
            "sentences": sentence_spans(passage).tobytes(),
            "leading": passage.leading,
            "headings": json.dumps(passage.headings, ensure_ascii=False),
            "pages": json.dumps([(one.number, one.label, one.start) for one in passage.pages]),
            "content": content_key(passage),
            "vectors": encoding.sentences,
            "counts": encoding.counts.tobytes(),
            "pieces": encoding.pieces.tobytes(),
            "bits": encoding.bits.tobytes(),
            "stems": space_padded(analysis.stems(passage.text, language)),
            "context": space_padded(
                analysis.stems("\n".join([document.title, *passage.headings]), language)
            ),
            "literal": literal_words(passage.text, analysis),
        }
        for passage, encoding in zip(passages, encodings, strict=True)
    ]
    return [row | {"checksum": signature(row)} for row in made]


def signature(row: Row) -> int:
    """Checksum of a passage, computed from its row."""
    numbers = np.asarray(row["vectors"], np.float16).tobytes()
    return checksum(*(numbers if name == "vectors" else row[name] for name in SIGNED))


def title_bits(passages: Sequence[Passage], encodings: Sequence[PassageEncoding]) -> TokenBits:
    """Token bits of a document's leading headings, which begin its first passage."""
    first, encoding = passages[0], encodings[0]
    return encoding.bits[: int(encoding.counts[: first.leading].sum())]


def file_row(record: FileRecord) -> dict[str, object]:
    """Row of a file."""
    return {
        "path": record.path,
        "size": record.size,
        "modified_ns": record.modified_ns,
        "digest": record.digest,
        "reader": record.reader,
        "failures": failures_to_json(record.failures),
        "seconds": record.seconds,
    }


def file_record(row: Row) -> FileRecord:
    """A file record from its row."""
    failures = failures_from_json(row["failures"])
    return FileRecord(**{name: row[name] for name in FILE} | {"failures": failures})


def passage(row: Row) -> Passage:
    """A passage from its row."""
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


def stored_passage(key: int, row: Row) -> StoredPassage:
    """A passage with its document's metadata, from its row.

    Raises
    ------
    LibraryDamaged
        If the row is corrupt.
    """
    found = passage(row)
    if row["content"] != content_key(found):
        raise damaged(f"a passage of “{row['title']}” doesn't match its checksum")
    return StoredPassage(
        key=key,
        passage=found,
        title=row["title"],
        date=_date(row["date"]),
        date_from=row["date_from"],
        sources=tuple(sorted(set(map(whole_source, row["sources"])))),
    )


def is_whole(row: Row) -> bool:
    """Whether a row is a document as users see it: unsplit, or the first part of one."""
    return not is_further_part(min(row["paths"], default=""))


def stored_tokens(key: int, row: Row) -> StoredTokens:
    """Token bits of a passage, from its row."""
    bits, title = _token_bits(row)
    return StoredTokens(
        key=key,
        counts=np.frombuffer(row["counts"], dtype=np.int32),
        bits=bits,
        title=title,
        text=row["text"],
        place=(row["document"], row["start"]),
    )


def encoding(row: Row) -> PassageEncoding:
    """The encoding of a passage, from its row."""
    return PassageEncoding(
        sentences=vectors(row),
        counts=np.frombuffer(row["counts"], dtype=np.int32),
        pieces=np.frombuffer(row["pieces"], dtype=np.int32),
        bits=_token_bits(row)[0],
    )


def vectors(row: Row) -> Vectors:
    """Sentence vectors of a passage, from its row; shape (sentences, dimension), float32."""
    found: Vectors = row["vectors"].astype(np.float32)
    if not np.isfinite(found).all():
        raise damaged("a vector is not finite")
    return found


def document(row: Row) -> Document:
    """A document from its row.

    Raises
    ------
    LibraryDamaged
        If the row is corrupt.
    """
    if row["checksum"] != checksum(*(row[name] for name in DOCUMENT)):
        raise damaged(f"the document “{row['title']}” doesn't match its checksum")
    return Document(
        id=row["id"],
        source=whole_source(min(row["paths"], default="")),
        title=row["title"],
        text=row["text"],
        digest=row["digest"],
        date=_date(row["date"]),
        metadata=json.loads(row["metadata"]),
        headings=tuple(
            Heading(Span(start, end), level) for start, end, level in json.loads(row["headings"])
        ),
        pages=tuple(Span(start, end) for start, end in json.loads(row["pages"])),
        page_labels=tuple(json.loads(row["page_labels"])),
        warnings=tuple(json.loads(row["warnings"])),
    )


def summary(row: Row) -> DocumentSummary:
    """The summary of a document for lists, from its row."""
    return DocumentSummary(
        id=row["id"],
        title=row["title"],
        source=min(row["paths"], default=""),
        date=_date(row["date"]),
        passages=row["passages"],
        date_from=row["date_from"],
        language=row["language"],
        pages=row["page_count"],
        warnings=tuple(json.loads(row["warnings"])),
    )


def _token_bits(row: Row) -> tuple[TokenBits, TokenBits]:
    """Token bits of a passage and of its document's title, at the stored width."""
    tokens = int(np.frombuffer(row["counts"], dtype=np.int32).sum())
    width = len(row["bits"]) // max(tokens, 1)
    if width * tokens != len(row["bits"]):
        raise damaged("a passage has more or fewer tokens than recorded")
    return _bits(row["bits"], width), _bits(row.get("title_bits", b""), width)


def _bits(content: bytes, width: int) -> TokenBits:
    return np.frombuffer(content, dtype=np.uint8).reshape(-1, max(width, 1))


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
