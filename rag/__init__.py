"""Semantic question answering over your own documents.

>>> from rag import Library, retrieve

:func:`retrieve` asks the default library; :class:`Library` opens any other, and indexes.
"""

from rag.calibration import Calibration
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
    NameTaken,
    RagError,
    SourceNotFound,
    UnknownFormat,
)
from rag.library import Library
from rag.mapping import Group, PassageMap, Point
from rag.neighbours import Neighbour
from rag.reliability import Bin, Reliability
from rag.reports import (
    Dates,
    Facets,
    FileReport,
    Findability,
    IndexReport,
    Lost,
    Problem,
    Progress,
    SelfTest,
    Sought,
    Status,
    Verification,
)
from rag.shelf import Shelf, Shelved
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
    "Bin",
    "Calibration",
    "Citation",
    "Dates",
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
    "Group",
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
    "NameTaken",
    "Neighbour",
    "Passage",
    "PassageMap",
    "Point",
    "Problem",
    "Progress",
    "Quote",
    "RagError",
    "Rating",
    "Reliability",
    "Respelling",
    "SelfTest",
    "Shelf",
    "Shelved",
    "Sought",
    "SourceNotFound",
    "Span",
    "Status",
    "UnknownFormat",
    "Verification",
    "Why",
    "cited",
    "retrieve",
]
