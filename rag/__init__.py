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
from rag.types import (
    Document,
    DocumentSummary,
    Failure,
    FileReport,
    Heading,
    Hit,
    IndexReport,
    Passage,
    Progress,
    Quote,
    Span,
    Status,
    Why,
)

__all__ = [
    "Document",
    "DocumentNotFound",
    "DocumentSummary",
    "EmptyQuestion",
    "Failure",
    "FileReport",
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
    "ModelError",
    "Passage",
    "Progress",
    "Quote",
    "RagError",
    "SourceNotFound",
    "Span",
    "Status",
    "UnknownFormat",
    "Why",
    "retrieve",
]
