"""Convert documents, passages and files to table rows and back.

The document fields a search needs are stored with each passage, so that a query reads one table at
one version, and nothing it retrieves can have changed meanwhile.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rag.cluster.lance.filter_sql import SEPARATOR, fold_paths
from rag.index import columns
from rag.index.columns import Row
from rag.index.records import Source, StoredPassage, StoredTokens, content_key, damaged
from rag.text.analyzers import Analysis
from rag.types import Document, DocumentSummary, Passage, PassageEncoding
from rag.types.arrays import TokenBits, Vectors
from rag.types.parts import is_further_part, whole_source

PASSAGE = (*columns.PASSAGE, "title", "date", "date_from", "sources", "content")
"""The columns of a :class:`StoredPassage`."""

TOKENS = ("counts", "bits", "title_bits", "text", "document", "start")
"""The columns of a :class:`StoredTokens`."""

ENCODING = ("text", "start", "sentences", "content", "vectors", "counts", "pieces", "bits")
"""The columns of a :class:`PassageEncoding` of the same text."""

SIGNED = (
    *columns.PASSAGE,
    *("content", "vectors", "counts", "pieces", "bits", "title_bits"),
)
"""The passage columns covered by its checksum."""

SUMMARY = (
    *("id", "title", "paths", "date", "passages", "date_from", "language", "page_count"),
    "warnings",
)
"""The columns of a :class:`DocumentSummary`."""


@dataclass(frozen=True, slots=True)
class DocumentSources:
    """A document's sources, sorted by path.

    ``revision`` increases with each change, and ``seen`` is the revision that was changed: a writer
    commits only if the stored revision is still the one it read.
    """

    sources: tuple[Source, ...]
    revision: int = field(default=0, compare=False)
    seen: int = field(default=0, compare=False)

    @classmethod
    def of(cls, row: Row) -> DocumentSources:
        """Build from a document's row."""
        return cls(tuple(sources_of([row])), row.get("revision", 0), row.get("seen", 0))

    def changed(self, sources: Iterable[Source]) -> DocumentSources:
        """The next revision, with these sources."""
        ordered = tuple(sorted(set(sources), key=lambda one: one.path))
        # Clock-based: a document that was deleted and added again continues to count up.
        later = max(self.revision + 1, time.time_ns() // 1000)
        return DocumentSources(ordered, later, self.revision)

    def columns(self) -> dict[str, object]:
        """Columns for the documents table."""
        of_passages = self.of_passages()
        return {
            "paths": of_passages.pop("sources"),
            "files": [one.file for one in self.sources],
            "seen": self.seen,
            **of_passages,
        }

    def of_passages(self) -> dict[str, object]:
        """Columns for the passages table."""
        paths = [one.path for one in self.sources]
        return {"sources": paths, "located": fold_paths(paths), "revision": self.revision}


def sources_of(documents: Iterable[Row]) -> list[Source]:
    """The sources of documents, from their rows."""
    return [
        Source(path, file, row["id"])
        for row in documents
        for path, file in zip(row["paths"], row["files"], strict=True)
    ]


def literal_words(text: str, analysis: Analysis) -> str:
    """The literal words of a text, each with a space before and after, so that phrase matching is
    substring search; empty if there are none.
    """
    written, before = [], -1
    for position, word in analysis.phrase(text):
        # Punctuation or other text between two words keeps them apart.
        written += [""] * (position - before - 1) + [word]
        before = position
    return _space_padded(written)


def document_row(
    document: Document, held: DocumentSources, passages: Sequence[Passage]
) -> dict[str, object]:
    """Row of a document."""
    return {
        **columns.document_columns(document),
        **held.columns(),
        **_of_document(document),
        "page_count": len(document.pages),
        "characters": len(document.text),
        "passages": len(passages),
        "sentences": sum(len(one.sentences) for one in passages),
    }


def _of_document(document: Document) -> dict[str, object]:
    """The columns that both tables have of a document."""
    return {
        "title": document.title,
        "date": document.date.isoformat() if document.date else None,
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
    """Rows of all passages of a document."""
    # The leading headings begin the first passage.
    title = encodings[0].bits[: int(encodings[0].counts[: passages[0].leading].sum())]
    language = document.metadata.get("language")
    common = {
        "title_bits": title.tobytes(),
        **held.of_passages(),
        **_of_document(document),
    }
    made = [
        {
            **common,
            **columns.passage_columns(passage),
            **columns.encoding_columns(encoding),
            "vectors": encoding.sentences,
            "stems": _space_padded(analysis.stems(passage.text, language)),
            "context": _space_padded(
                analysis.stems("\n".join([document.title, *passage.headings]), language)
            ),
            "literal": literal_words(passage.text, analysis),
        }
        for passage, encoding in zip(passages, encodings, strict=True)
    ]
    return [row | {"checksum": signature(row)} for row in made]


def signature(row: Row) -> int:
    """Checksum of a passage, computed from its row."""
    plain = with_plain_vectors(row)
    return columns.checksum(*(plain[name] for name in SIGNED))


def with_plain_vectors(row: Row) -> dict[str, Any]:
    """The row, with its vectors as the bytes of their numbers."""
    return {**row, "vectors": np.asarray(row["vectors"], np.float16).tobytes()}


def stored_passage(key: int, row: Row) -> StoredPassage:
    """A passage with its document's metadata, from its row.

    Raises
    ------
    LibraryDamaged
        If the row is corrupt.
    """
    found = columns.passage(row)
    if row["content"] != content_key(found):
        raise damaged(f"a passage of “{row['title']}” doesn't match its checksum")
    return StoredPassage(
        key=key,
        passage=found,
        title=row["title"],
        date=columns.date(row["date"]),
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
    """A document from its row; raises :class:`LibraryDamaged` if that is corrupt."""
    return columns.document(row, whole_source(min(row["paths"], default="")))


def summary(row: Row) -> DocumentSummary:
    """The summary of a document for lists, from its row."""
    return DocumentSummary(
        id=row["id"],
        title=row["title"],
        source=min(row["paths"], default=""),
        date=columns.date(row["date"]),
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


def _space_padded(words: Sequence[str]) -> str:
    """Words with a space before and after each; empty if there are none."""
    return f" {' '.join(words)} " if any(words) else ""
