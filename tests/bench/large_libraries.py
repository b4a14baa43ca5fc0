"""Libraries of any size, made of a real one: other words, other vectors, other token bits.

Each new passage follows a real one. A fifth of its words are replaced by others of the same length
from the same library, so that every span stays true; each sentence's vector is mixed with that of
another sentence and with noise (its cosine with the first is about .8); one token bit in sixteen
is flipped. Twenty passages make a document.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag import Document, Library, Passage, Span
from rag.index.folder import locked
from rag.index.records import FileRecord, Source
from rag.index.sqlite.database import Database
from rag.index.sqlite.reader import StoreReader
from rag.index.sqlite.writer import StoreWriter
from rag.models.embedder import SentenceTransformerEmbedder
from rag.types import PassageEncoding

PASSAGES_EACH = 20
"""Passages of a made document."""

MIXED, NOISE = 0.6, 0.45
"""How much of another sentence's vector, and how long the noise, beside a vector of length 1."""

SETTLED_TOGETHER = 500
"""Documents whose files are recorded in one transaction."""


@dataclass(frozen=True, slots=True, eq=False)
class Real:
    """What is varied: passages with their encodings, their words by length, all vectors."""

    passages: list[tuple[Passage, PassageEncoding]]
    words: dict[int, list[str]]
    vectors: np.ndarray
    language: str | None


def read_real(folder: Path, dimension: int) -> Real:
    """All that is in a library."""
    database = Database(folder / "library.db", dimension)
    reader = StoreReader(database)
    with Library.open(folder, create=False) as library:
        ids = [one.id for one in library.documents(order="source")]
    passages = [one for each in ids for one in reader.passages_of(each)]
    encodings = reader.encodings(passages)
    database.close()
    words: dict[int, set[str]] = {}
    for passage in passages:
        for word in re.findall(r"\w+", passage.text):
            words.setdefault(len(word), set()).add(word)
    return Real(
        [(passage, encodings[n]) for n, passage in enumerate(passages)],
        {length: sorted(found) for length, found in words.items()},
        np.concatenate([encodings[n].sentences for n in range(len(passages))]),
        "en",
    )


def grow(folder: Path, real: Real, embedder: SentenceTransformerEmbedder, passages: int) -> None:
    """Put made documents into a library until it has so many passages; indexes are left behind."""
    with locked(folder):
        database = Database(folder / "library.db", embedder.dimension)
        reader, writer = StoreReader(database), StoreWriter(database)
        there = reader.counts().passages
        settling: list[tuple[FileRecord, list[str]]] = []
        for first in range(there, passages, PASSAGES_EACH):
            document, cut, encodings = made(real, first, min(PASSAGES_EACH, passages - first))
            writer.put(
                document, Source(document.source, document.source, document.id), cut, encodings
            )
            settling.append((_record(document), [document.source]))
            if len(settling) == SETTLED_TOGETHER:
                writer.record_files(settling)
                settling = []
        writer.record_files(settling)
        database.close()


def made(
    real: Real, first: int, count: int
) -> tuple[Document, list[Passage], list[PassageEncoding]]:
    """The document that begins with the passage of that number; the same every time."""
    chance = np.random.default_rng(first)
    followed = [real.passages[n % len(real.passages)] for n in range(first, first + count)]
    texts = [_varied(passage.text, real.words, chance) for passage, _ in followed]
    text = "\n\n".join(texts)
    digest = hashlib.sha256(f"{first} {text}".encode()).hexdigest()
    cut, at = [], 0
    for passage, words in zip((passage for passage, _ in followed), texts, strict=True):
        cut.append(
            Passage(
                id=hashlib.sha256(f"{digest} {at}".encode()).hexdigest()[:20],
                document_id=digest[:20],
                start=at,
                end=at + len(words),
                text=words,
                sentences=tuple(
                    Span(span.start - passage.start + at, span.end - passage.start + at)
                    for span in passage.sentences
                ),
                leading=passage.leading,
            )
        )
        at += len(words) + 2
    document = Document(
        id=digest[:20],
        source=f"/made/{first // 100_000}/{first}.txt",
        title=f"Made document {first}",
        text=text,
        digest=digest,
        metadata={"language": real.language or ""},
    )
    return document, cut, [_near(encoding, real.vectors, chance) for _, encoding in followed]


def _varied(text: str, words: dict[int, list[str]], chance: np.random.Generator) -> str:
    lots = iter(chance.random(text.count(" ") * 3 + 100).tolist())

    def other(match: re.Match[str]) -> str:
        if next(lots) > 0.2:
            return match.group()
        same_length = words[len(match.group())]
        return same_length[int(next(lots) * len(same_length))]

    return re.sub(r"\w+", other, text)


def _near(
    encoding: PassageEncoding, vectors: np.ndarray, chance: np.random.Generator
) -> PassageEncoding:
    rows, dimension = encoding.sentences.shape
    others = vectors[chance.integers(0, len(vectors), rows)]
    noise = chance.standard_normal((rows, dimension), dtype=np.float32) * NOISE / dimension**0.5
    mixed = encoding.sentences + MIXED * others + noise
    flips = np.frombuffer(chance.bytes(4 * encoding.bits.size), np.uint8).reshape(4, -1)
    flipped = np.bitwise_and.reduce(flips).reshape(encoding.bits.shape)
    return PassageEncoding(
        sentences=mixed / np.linalg.norm(mixed, axis=1, keepdims=True),
        counts=encoding.counts,
        pieces=encoding.pieces,
        bits=encoding.bits ^ flipped,
    )


def _record(document: Document) -> FileRecord:
    return FileRecord(document.source, len(document.text), 0, document.digest, "made", (), 0.0)


def all_vectors(folder: Path, dimension: int) -> Iterator[tuple[int, np.ndarray]]:
    """The sentence vectors of every passage, by its key."""
    from rag.index.sqlite.changes import Changes

    database = Database(folder / "library.db", dimension)
    yield from Changes(database).vectors_since(0)
    database.close()
