"""Semantic question answering over your own documents.

>>> from rag import Library, retrieve

:func:`retrieve` asks the default library; :class:`Library` opens any other, and indexes.
"""

from rag.default import retrieve
from rag.errors import (
    DocumentNotFound,
    EmptyQuestion,
    InputError,
    LibraryBusy,
    LibraryDamaged,
    LibraryError,
    LibraryMismatch,
    LibraryNotFound,
    LoadError,
    ModelError,
    RagError,
    SourceNotFound,
    UnknownFormat,
)
from rag.library import Library
from rag.reports import FileReport, IndexReport, Progress, Status
from rag.types import (
    Document,
    DocumentCount,
    DocumentSummary,
    Failure,
    Found,
    Heading,
    Hit,
    Match,
    Passage,
    Quote,
    Rating,
    Respelling,
    Span,
    Why,
)

__all__ = [
    "Document",
    "DocumentCount",
    "DocumentNotFound",
    "DocumentSummary",
    "EmptyQuestion",
    "Failure",
    "FileReport",
    "Found",
    "Heading",
    "Hit",
    "IndexReport",
    "InputError",
    "Library",
    "LibraryBusy",
    "LibraryDamaged",
    "LibraryError",
    "LibraryMismatch",
    "LibraryNotFound",
    "LoadError",
    "Match",
    "ModelError",
    "Passage",
    "Progress",
    "Quote",
    "RagError",
    "Rating",
    "Respelling",
    "SourceNotFound",
    "Span",
    "Status",
    "UnknownFormat",
    "Why",
    "retrieve",
]
