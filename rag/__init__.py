"""Semantic question answering over your own documents.

>>> from rag import Library, retrieve

:func:`retrieve` asks the default library; :class:`Library` opens any other, and indexes.
"""

from rag.citing import Citation, Followed, cited
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
from rag.reports import (
    Facets,
    FileReport,
    Findability,
    IndexReport,
    Lost,
    Progress,
    SelfTest,
    Status,
)
from rag.types import (
    Answer,
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
    "Answer",
    "Citation",
    "Document",
    "DocumentCount",
    "DocumentNotFound",
    "DocumentSummary",
    "EmptyQuestion",
    "Facets",
    "Failure",
    "FileReport",
    "Findability",
    "Followed",
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
    "Lost",
    "Match",
    "ModelError",
    "Passage",
    "Progress",
    "Quote",
    "RagError",
    "Rating",
    "Respelling",
    "SelfTest",
    "SourceNotFound",
    "Span",
    "Status",
    "UnknownFormat",
    "Why",
    "cited",
    "retrieve",
]
