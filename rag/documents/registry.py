"""From a file to Documents: the registry of formats.

A loader is a function from a file's ``Content``, its bytes or a mapping of them, to ``Loaded``,
or to an iterator of ``Loaded`` where a long text comes in parts; it raises LoadError where it
can't. The first part has the title, the date and the metadata of all. What is longer than
``PART_CHARACTERS`` is cut here, so a loader need only return parts where the whole would take too
much memory.
A container is one from a file's ``Content`` to the members in it, each a ``Member``, or a Failure
whose source is the member's name; a member without a name is the container itself (the message of
a mail with attachments, the file that was compressed). To read another format, write one of the
two and name it, by its suffixes, in ``_LOADERS`` or ``_CONTAINERS``; a loader that reads page by
page, or can do OCR, in ``_PAGED`` too. They are imported only when they are needed.
"""

from __future__ import annotations

import hashlib
import json
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from rag.documents.archives import most_unpacked
from rag.documents.content import Content, content_of, digest_of
from rag.documents.detection import UNKNOWN, kind_of
from rag.documents.loaded import Loaded, Member
from rag.documents.read_options import PROTECTED, Means
from rag.documents.splitter import parts_of
from rag.documents.whitespace import one_line
from rag.errors import LoadError
from rag.text.sentences import paragraphs, sentences
from rag.types import Document, Failure, document_id
from rag.types.parts import READ_AS, part_id, part_source

__all__ = ["Loaded", "Means", "Member", "is_of_unknown_kind", "load", "supported", "wants_password"]

_Result = TypeVar("_Result")
_Loader: TypeAlias = Callable[[Content], Loaded | Iterator[Loaded]]
_OnPage: TypeAlias = Callable[[], None]
_Container: TypeAlias = Callable[[Content], Iterator[Member | Failure]]

_LOADERS: Mapping[str, str] = MappingProxyType(
    {
        ".txt": "formats.plain_text:load_plain",
        ".text": "formats.plain_text:load_plain",
        ".md": "formats.markdown:load_markdown",
        ".markdown": "formats.markdown:load_markdown",
        ".html": "formats.html:load_html",
        ".htm": "formats.html:load_html",
        ".xhtml": "formats.html:load_html",
        ".rst": "formats.rst:load_rst",
        ".csv": "formats.spreadsheet:load_csv",
        ".tsv": "formats.spreadsheet:load_csv",
        ".pdf": "pdf.loader:load_pdf",
        ".docx": "formats.docx:load_docx",
        ".docm": "formats.docx:load_docx",
        ".rtf": "formats.rtf:load_rtf",
        ".pptx": "formats.pptx:load_pptx",
        ".pptm": "formats.pptx:load_pptx",
        ".xlsx": "formats.spreadsheet:load_xlsx",
        ".xlsm": "formats.spreadsheet:load_xlsx",
        ".odt": "formats.opendocument:load_odt",
        ".odp": "formats.opendocument:load_odp",
        ".ods": "formats.opendocument:load_ods",
        ".epub": "formats.epub:load_epub",
    }
)

_PAGED = frozenset({".pdf"})
"""Those whose loaders also take what is in ``Means``, and ``on_page``."""

_CONTAINERS: Mapping[str, str] = MappingProxyType(
    {
        ".zip": "archives:members_of_zip",
        ".tar": "archives:members_of_tar",
        ".gz": "archives:members_of_gzip",
        ".tgz": "archives:members_of_gzip",
        ".bz2": "archives:members_of_bzip2",
        ".tbz2": "archives:members_of_bzip2",
        ".xz": "archives:members_of_xz",
        ".txz": "archives:members_of_xz",
        ".eml": "formats.mail:members_of_mail",
        ".mbox": "formats.mail:members_of_mailbox",
        ".json": "formats.json_text:members_of_json",
        ".jsonl": "formats.json_text:members_of_json_lines",
        ".ndjson": "formats.json_text:members_of_json_lines",
    }
)

_NONE = Means()
_DEEPEST = 4
"""Containers inside each other that are opened."""

_MOST_MEMBERS = 1_000_000
"""Documents that one file may hold, those in containers inside it counted too."""

_NO_TEXT = "there is no text in it; remove it, or leave it out of what is indexed"
_TOO_DEEP = f"more than {_DEEPEST} archives lie in each other here; unpack them first"
_TOO_MUCH = "it holds more than is safe to unpack at once; unpack it into a folder, and index that"

_NAME_TOO_LONG = (
    "there is something in it whose name has {length:,} characters, more than any disk can keep; "
    "give it a shorter one"
)
_MORE_FAILED = "{count:,} more of what is in it could not be read"

_LONGEST_NAME = 1_000
_MOST_FAILURES = 1_000
_MOST_FACTS = 200
_LONGEST_KEY = 100
_LONGEST_VALUE = 2_000
"""What is kept about a file or a document beside its text, in characters: what follows from it
lies in memory for all documents that wait, and in each part of a long one."""

_LONGEST_TITLE = 500
_LONGEST_STAND_IN = 90
"""Characters of a title, and of a sentence that stands in for one."""

_BEGINNING = 10_000
"""Characters among which a title is looked for."""

_MARKS = "-*•>#|. "
"""What a list, a quotation or a table may put before the first word."""


def supported() -> frozenset[str]:
    """The suffixes that ``load`` knows, in lower case, each with its dot."""
    return frozenset(_LOADERS) | frozenset(_CONTAINERS)


def is_of_unknown_kind(failure: Failure) -> bool:
    """Whether it was passed over because no loader reads its kind, rather than failed."""
    return failure.reason.startswith(UNKNOWN)


def wants_password(failure: Failure) -> bool:
    """Whether a password is all that is missing to read it."""
    return failure.reason.startswith(PROTECTED)


def load(
    path: Path, *, means: Means = _NONE, on_page: _OnPage = lambda: None
) -> Iterator[Document | Failure]:
    """Read the file at ``path``: one document, or those that it holds, in order, one at a time.

    A document whose text is longer than ``PART_CHARACTERS`` comes in parts, as
    :mod:`rag.types.parts` says.
    A document inside the file has a source below the file's own, ``/a/letters.zip/2024/jan.txt``.
    What can't be read there yields a Failure with such a source, and the rest goes on. The kind
    is told by content where the name's ending lies or is missing; a warning in the document says
    so. Where a file names no title, its first sentence stands in for one, cut near 90 characters.
    ``means`` may help to read it; ``on_page`` is called whenever the work on a page is done, in
    formats that have pages.

    Raises LoadError at the first step where the file as a whole can't be opened, isn't what its
    suffix says, or holds no word, and UnknownFormat where it is of a kind that isn't read. What
    goes wrong after a document was yielded is a Failure with the file's own source.
    """
    source = str(path.absolute())
    content = _content(path)
    begun, failed = False, 0
    try:
        for one in _Walk.over(content, means, on_page).documents(_File(source, path.name, content)):
            begun = True
            failed += isinstance(one, Failure)
            if failed <= _MOST_FAILURES or isinstance(one, Document):
                yield one
    except LoadError as error:
        if not begun:
            raise
        yield Failure(source, str(error))
    if failed > _MOST_FAILURES:
        yield Failure(source, _MORE_FAILED.format(count=failed - _MOST_FAILURES))


@dataclass(frozen=True, slots=True)
class _File:
    """Some bytes that are a file; the ending of ``name`` says which kind. ``depth`` counts the
    containers around it.
    """

    source: str
    name: str
    content: Content
    depth: int = 0


@dataclass(slots=True)
class _Walk:
    """A walk through one file and all that is in it, which ends when too much has come out."""

    members_left: int
    bytes_left: int
    means: Means
    on_page: _OnPage

    @classmethod
    def over(cls, content: Content, means: Means, on_page: _OnPage) -> _Walk:
        return cls(_MOST_MEMBERS, most_unpacked(len(content)), means, on_page)

    def documents(self, file: _File) -> Iterator[Document | Failure]:
        """What is in a file; raises LoadError where it can't be read as a whole."""
        kind = kind_of(file.name, file.content, supported())
        notes = (kind.warning,) if kind.warning else ()
        if kind.suffix in _LOADERS:
            digest = digest_of(file.content)
            loaded = self._called(self._loader(kind.suffix), file.content)
            yield from _documents(file.source, digest, loaded, notes, kind.suffix)
        elif file.depth == _DEEPEST:
            raise LoadError(_TOO_DEEP)
        else:
            opened = _Opened(file, notes)
            for member in self._stepped(_container(kind.suffix)(file.content)):
                yield from self._of_member(opened, member)

    def _of_member(self, parent: _Opened, member: Member | Failure) -> Iterator[Document | Failure]:
        name = member.source if isinstance(member, Failure) else member.name
        if len(name) > _LONGEST_NAME:
            yield Failure(parent.file.source, _NAME_TOO_LONG.format(length=len(name)))
            return
        if isinstance(member, Failure):
            yield Failure(parent.source_of(name), member.reason)
            return
        self._count(member)
        if not member.name:
            yield from self._of_itself(parent, member.content)
            return
        source = parent.source_of(member.name)
        try:
            if isinstance(member.content, Loaded):
                yield from _documents(source, _digest(member.content), member.content)
            else:
                depth = parent.file.depth + 1
                yield from self.documents(_File(source, member.name, member.content, depth))
        except LoadError as error:
            yield Failure(source, str(error))

    def _of_itself(self, parent: _Opened, content: bytes | Loaded) -> Iterator[Document | Failure]:
        """The container's own text, or the one file that it is a wrapping of."""
        file = parent.file
        if isinstance(content, Loaded):
            yield from _documents(file.source, parent.digest, content, parent.notes)
        else:
            name = PurePosixPath(file.name).stem
            yield from self.documents(_File(file.source, name, content, file.depth + 1))

    def _loader(self, suffix: str) -> _Loader:
        loader: Callable[..., Loaded | Iterator[Loaded]] = pkgutil.resolve_name(
            f"{__package__}.{_LOADERS[suffix]}"
        )
        if suffix in _PAGED:
            ocr, passwords = self.means.ocr, self.means.passwords
            return partial(loader, ocr=ocr, passwords=passwords, on_page=self.on_page)
        return loader

    def _called(self, loader: _Loader, content: Content) -> Iterator[Loaded]:
        try:
            loaded = loader(content)
        except LoadError:
            raise
        except Exception as error:
            raise _tripped(error, self.means) from error
        return self._stepped(iter([loaded]) if isinstance(loaded, Loaded) else loaded)

    def _stepped(self, results: Iterator[_Result]) -> Iterator[_Result]:
        try:
            yield from results
        except LoadError:
            raise
        except Exception as error:
            raise _tripped(error, self.means) from error

    def _count(self, member: Member) -> None:
        self.members_left -= 1
        if isinstance(member.content, bytes):
            self.bytes_left -= len(member.content)
        if self.members_left < 0 or self.bytes_left < 0:
            raise LoadError(_TOO_MUCH)


@dataclass(slots=True)
class _Opened:
    """A container whose members are being read, with what the members need of it."""

    file: _File
    notes: tuple[str, ...]
    digest: str = field(init=False)
    _taken: set[str] = field(default_factory=set)
    _numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.digest = digest_of(self.file.content)

    def source_of(self, name: str) -> str:
        """The source of the member ``name``; a second one of that name gets a number."""
        name = re.sub(r"/+(?=/part )", "", f"/{name}")[1:]  # or it could pass for a part
        suffix = PurePosixPath(name).suffix
        unique, number = name, self._numbers.get(name, 1)
        while unique in self._taken:
            number += 1
            unique = f"{name.removesuffix(suffix)} ({number}){suffix}"
        self._taken.add(unique)
        self._numbers[name] = number
        return f"{self.file.source}/{unique}"


def _container(suffix: str) -> _Container:
    container: _Container = pkgutil.resolve_name(f"{__package__}.{_CONTAINERS[suffix]}")
    return container


def _tripped(error: Exception, means: Means) -> LoadError:
    """Whatever a broken file makes a parser raise, the other files must not suffer from it."""
    if isinstance(error, MemoryError):
        return LoadError(means.too_large)
    what = one_line(f"{type(error).__name__}: {error}")[:200]
    return LoadError(f"its parser gave up ({what}); open it in its program and save it again")


def _digest(record: Loaded) -> str:
    """The digest of what has no bytes of its own: that of all it says, wherever it stands. So a
    record stays the same document when others are written before or after it, or it is moved.
    """
    day = record.date.isoformat() if record.date else None
    said = [record.title, day, record.text, sorted(record.metadata.items())]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _documents(
    source: str,
    digest: str,
    loaded: Loaded | Iterable[Loaded],
    notes: tuple[str, ...] = (),
    read_as: str = "",
) -> Iterator[Document]:
    """The parts of a document; most have one. Those without a word are left out."""
    worded = (one for one in parts_of(loaded) if any(map(str.isalnum, one.text)))
    start = list(islice(worded, 2))
    in_parts = {READ_AS: read_as} if len(start) > 1 else {}
    first: Document | None = None
    for number, part in enumerate(chain(start, worded), 1):
        facts, left_out = ({}, ()) if first else _bounded(part.metadata)
        document = Document(
            id=part_id(digest, read_as, number) if in_parts else document_id(digest),
            source=part_source(source, number),
            title=first.title if first else _title(part),
            text=part.text,
            digest=digest,
            date=first.date if first else part.date,
            metadata=first.metadata if first else {"title_from": "document"} | facts | in_parts,
            headings=part.headings,
            pages=part.pages,
            page_labels=tuple(label[:_LONGEST_KEY] for label in part.page_labels),
            warnings=part.warnings if first else (*notes, *part.warnings, *left_out),
        )
        first = first or replace(document, text="", headings=(), pages=(), page_labels=())
        yield document
    if not first:
        raise LoadError(_NO_TEXT)


def _bounded(metadata: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Metadata of bounded size, and a line that says what was left out of them."""
    kept = {
        key: value[:_LONGEST_VALUE]
        for key, value in islice(metadata.items(), _MOST_FACTS)
        if len(key) <= _LONGEST_KEY
    }
    whole = sum(kept.get(key) == value for key, value in metadata.items())
    note = (
        f"{len(metadata) - whole:,} of the facts it states about itself were too long or too many"
    )
    return kept, () if whole == len(metadata) else (note,)


def _title(loaded: Loaded) -> str:
    return _shortened(loaded.title or _first_sentence(loaded.text), _LONGEST_TITLE)


def _content(path: Path) -> Content:
    try:
        if not path.exists():
            raise LoadError("there is no such file; check its name, or whether it was moved")
        return content_of(path)
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise LoadError(f"it can't be opened ({reason}); check who may read it") from error


def _first_sentence(text: str) -> str:
    """The first sentence that has a word, on one line, shortened to serve as a title."""
    for paragraph in paragraphs(text[:_BEGINNING]):
        for sentence in sentences(text, paragraph):
            words = one_line(sentence.of(text)).lstrip(_MARKS)
            if any(character.isalnum() for character in words):
                return _shortened(words, _LONGEST_STAND_IN)
    return _shortened(one_line(text[:_BEGINNING]), _LONGEST_STAND_IN)


def _shortened(words: str, longest: int) -> str:
    """At most ``longest`` characters, cut between words if there is a blank to cut at."""
    if len(words) <= longest:
        return words
    kept = words[: longest - len("…")]
    if words[len(kept)] != " " and " " in kept:
        kept = kept[: kept.rfind(" ")]
    return kept.rstrip(" ,;:.-\u2013\u2014") + "…"
