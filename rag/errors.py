"""Everything that this package raises on purpose, in one tree.

::

    RagError
    ├── InputError             something the caller asked for can't be
    │   ├── EmptyQuestion          a question without a word
    │   ├── SourceNotFound         no such file or folder, or none indexed under that name
    │   ├── NameTaken              something else bears the name already
    │   └── DocumentNotFound       no document of that id in the library
    ├── LoadError              a file can't be read as a document
    │   └── UnknownFormat          no loader knows this kind of file
    ├── ModelError             a model can't be loaded, or isn't what it claims to be
    ├── AirGapped              another machine was to be reached, and none may be
    └── LibraryError           something is the matter with a library's folder
        ├── LibraryNotFound        there is no library there
        ├── LibraryMismatch        made by another model, or by another version of rag
        ├── LibraryBusy            another process is writing to it
        ├── DiskFull               there is no room to write
        └── LibraryDamaged         its files contradict each other

Each message is one line for a person: what is wrong, then what to do next.
"""


class RagError(Exception):
    """Whatever this package raises on purpose."""


class InputError(RagError):
    """Something the caller asked for can't be."""


class EmptyQuestion(InputError):
    """A question without a word."""


class SourceNotFound(InputError):
    """No such file or folder, or none indexed under that name."""


class NameTaken(InputError):
    """Something else bears the name already."""


class DocumentNotFound(InputError):
    """No document of that id in the library."""


class LoadError(RagError):
    """A file can't be read as a document."""


class UnknownFormat(LoadError):
    """No loader knows this kind of file."""


class ModelError(RagError):
    """A model can't be loaded, or isn't what it claims to be."""


class AirGapped(RagError, PermissionError):
    """Another machine was to be reached, and none may be.

    It is an OSError, too: whoever can go on without a network goes on.
    """


class LibraryError(RagError):
    """Something is the matter with a library's folder."""


class LibraryNotFound(LibraryError):
    """There is no library there."""


class LibraryMismatch(LibraryError):
    """The library was made by another model, or by another version of rag."""


class LibraryBusy(LibraryError):
    """Another process is writing to the library."""


class DiskFull(LibraryError):
    """There is no room to write to the library, or beside it."""


class LibraryDamaged(LibraryError):
    """The library's files contradict each other."""
