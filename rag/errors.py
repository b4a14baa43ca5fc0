"""The exceptions that this package raises on purpose.

::

    RagError
    ├── InputError             invalid argument
    │   ├── EmptyQuestion          a question without a letter or digit
    │   ├── SourceNotFound         no such file or folder, or nothing indexed under that name
    │   └── DocumentNotFound       no document with that id in the library
    ├── LoadError              a file can't be read as a document
    │   ├── UnknownFormat          no loader for this type of file
    │   ├── PasswordRequired       none of the given passwords opens it
    │   └── SecretFile             it may hold keys or passwords
    ├── ModelError             a model can't be loaded, or isn't what it claims to be
    ├── AirGapped              network access refused in air-gapped mode
    └── LibraryError           a problem with a library's folder
        ├── LibraryNotFound        no library there
        ├── LibraryMismatch        made by another model, or by another version of rag
        ├── LibraryBusy            another process is writing to it
        ├── DiskFull               no space left to write
        └── LibraryDamaged         its files contradict each other

Each message is one line for the user: what is wrong, then what to do next.
"""

from typing import ClassVar, Literal, TypeAlias

FailureKind: TypeAlias = Literal["unreadable", "unsupported", "password", "secret"]
"""Why a file was not read: it is damaged, say, or may not be opened; nothing reads files of its
type; it needs a password that ``rag index --passwords`` can give; or it may hold secrets.
"""


class RagError(Exception):
    """Base class of every exception that this package raises on purpose."""


class InputError(RagError):
    """Invalid argument."""


class EmptyQuestion(InputError):
    """A question without a letter or digit."""


class SourceNotFound(InputError):
    """No such file or folder, or nothing indexed under that name."""


class DocumentNotFound(InputError):
    """No document with that id in the library."""


class LoadError(RagError):
    """A file can't be read as a document."""

    kind: ClassVar[FailureKind] = "unreadable"


class UnknownFormat(LoadError):
    """No loader for this type of file."""

    kind = "unsupported"


class PasswordRequired(LoadError):
    """The file is encrypted, and none of the given passwords opens it."""

    kind = "password"


class SecretFile(LoadError):
    """The file may hold keys or passwords, which aren't to be found by asking."""

    kind = "secret"


class ModelError(RagError):
    """A model can't be loaded, or isn't what it claims to be."""


class AirGapped(RagError, PermissionError):
    """Network access refused in air-gapped mode.

    Also a PermissionError, hence an OSError, so that code which can do without a network carries
    on.
    """


class LibraryError(RagError):
    """A problem with a library's folder."""


class LibraryNotFound(LibraryError):
    """No library there."""


class LibraryMismatch(LibraryError):
    """The library was made by another model, or by another version of rag."""


class LibraryBusy(LibraryError):
    """Another process is writing to the library."""


class DiskFull(LibraryError):
    """No space left to write to the library, or next to it."""


class LibraryDamaged(LibraryError):
    """The library's files contradict each other."""
