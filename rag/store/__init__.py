"""Documents, passages and their vectors. The only package that knows SQLite.

The store is the truth of a library. Each document goes in, with all of its passages and
encodings, in one transaction that raises the generation by one; a crash leaves all of it or
nothing. Indexes ask what came and went since their own generation.

Vectors are kept as float16: that halves them, and moves no cosine by more than 0.0001.
"""

from rag.store.catalogue import Catalogue, Order
from rag.store.changes import Changes
from rag.store.checksums import checksum
from rag.store.database import FORMAT, Database
from rag.store.facets import facets
from rag.store.ratings import RatingStore
from rag.store.reader import StoreReader
from rag.store.records import (
    FileRecord,
    NewPassage,
    PieceFrequencies,
    Source,
    StoredPassage,
    StoredTokens,
    content_key,
    damaged,
    sentence_spans,
    together,
)
from rag.store.sampling import sample
from rag.store.validation import as_path, validate
from rag.store.verification import (
    Fault,
    StoreCheck,
    read_anew,
    recount,
    reindex,
    take_apart,
)
from rag.store.writer import StoreWriter

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
    "facets",
    "read_anew",
    "recount",
    "reindex",
    "sample",
    "sentence_spans",
    "take_apart",
    "together",
    "validate",
]
