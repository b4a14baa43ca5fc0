"""The store of documents, passages and encodings. The only package that imports SQLite.

The store is a library's source of truth. Each document is written, with all of its passages and
encodings, in one transaction that increments the generation; a crash leaves all of it or nothing.
Indexes ask for the additions and deletions since their own generation.

Vectors are stored as float16, which halves their size and changes no cosine by more than 0.0001.
"""

from rag.index.records import (
    FileRecord,
    NewPassage,
    PieceFrequencies,
    Source,
    StoredPassage,
    StoredTokens,
    content_key,
    damaged,
    failures_from_json,
    failures_to_json,
    sentence_spans,
    together,
)
from rag.index.sqlite.catalogue import Catalogue, Order
from rag.index.sqlite.changes import Changes
from rag.index.sqlite.checksums import checksum
from rag.index.sqlite.database import FORMAT, Database
from rag.index.sqlite.facets import facets
from rag.index.sqlite.ratings import RatingStore
from rag.index.sqlite.reader import StoreReader
from rag.index.sqlite.sample import sample
from rag.index.sqlite.validation import as_path, validate
from rag.index.sqlite.verification import (
    Fault,
    StoreCheck,
    delete_passages,
    mark_for_reading,
    recount,
    reindex,
)
from rag.index.sqlite.writer import StoreWriter

__all__ = [
    "FORMAT",
    "Catalogue",
    "Changes",
    "Database",
    "Fault",
    "FileRecord",
    "NewPassage",
    "Order",
    "PieceFrequencies",
    "RatingStore",
    "Source",
    "StoreCheck",
    "StoreReader",
    "StoreWriter",
    "StoredPassage",
    "StoredTokens",
    "as_path",
    "checksum",
    "content_key",
    "damaged",
    "delete_passages",
    "facets",
    "failures_from_json",
    "failures_to_json",
    "mark_for_reading",
    "recount",
    "reindex",
    "sample",
    "sentence_spans",
    "together",
    "validate",
]
