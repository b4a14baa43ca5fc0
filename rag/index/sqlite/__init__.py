"""The store of documents, passages and encodings. The only package that imports SQLite.

The store is a library's source of truth. Each document is written, with all of its passages and
encodings, in one transaction that increments the generation; a crash leaves all of it or nothing.
Indexes ask for the additions and deletions since their own generation.

Vectors are stored as float16, which halves their size and changes no cosine by more than 0.0001.
"""

from rag.index.sqlite.catalogue import Catalogue
from rag.index.sqlite.changes import Changes
from rag.index.sqlite.database import FORMAT, Database
from rag.index.sqlite.ratings import RatingStore
from rag.index.sqlite.reader import StoreReader
from rag.index.sqlite.store_check import (
    StoreCheck,
    delete_passages,
    mark_for_reading,
    recount,
    reindex,
)
from rag.index.sqlite.validation import as_path, validate
from rag.index.sqlite.writer import StoreWriter

__all__ = [
    "FORMAT",
    "Catalogue",
    "Changes",
    "Database",
    "RatingStore",
    "StoreCheck",
    "StoreReader",
    "StoreWriter",
    "as_path",
    "delete_passages",
    "mark_for_reading",
    "recount",
    "reindex",
    "validate",
]
