"""Registry of file formats: from a file to Documents.

A loader is a function from a file's ``Content`` (bytes or a mapping) to ``Loaded``, or to an
iterator of ``Loaded`` if a long text comes in parts, and raises LoadError on failure. The first
part carries title, date and metadata for all. Texts longer than ``PART_CHARACTERS`` are split here,
so a loader needs to return parts only if the whole would take too much memory. Members that are
attached to the file may follow.

A container is a function from a file's ``Content`` to its members, each a ``Member``, or a Failure
whose source is the member's name. One without a name is the container itself (the message of a mail
with attachments, or a compressed file). To add a format, write one of the two and register it
by suffix in one of the tables below; if it reads page by page or supports OCR, in ``_PAGED`` as
well. Loaders are imported on first use.
"""

from __future__ import annotations

import hashlib
import json
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain, groupby, islice
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from rag.documents.archives import max_unpacked_size
from rag.documents.content import Content, content_of, digest_of
from rag.documents.detection import detect
from rag.documents.loaded import Loaded, Member
from rag.documents.read_options import ReadOptions
from rag.documents.splitter import parts_of
from rag.documents.whitespace import one_line
from rag.errors import LoadError
from rag.text.sentences import paragraphs, sentences
from rag.types import Document, Failure, document_id
from rag.types.parts import READ_AS, part_id, part_source

__all__ = ["Loaded", "Member", "ReadOptions", "load", "supported"]

_Loader: TypeAlias = Callable[[Content], Loaded | Iterator[Loaded | Member | Failure]]
_OnPage: TypeAlias = Callable[[], None]


def _by_suffix(*rows: tuple[str, tuple[str, ...]]) -> dict[str, str]:
    return {suffix: name for name, suffixes in rows for suffix in suffixes}


_LOADERS_OF_TEXT = _by_suffix(
    ("formats.plain_text:load_plain", (".txt", ".text")),
    ("formats.plain_text:load_org", (".org",)),
    ("formats.plain_text:load_asciidoc", (".adoc", ".asciidoc")),
    ("formats.plain_text:load_wiki", (".wiki", ".mediawiki")),
    ("formats.plain_text:load_latex", (".tex", ".latex")),
    ("formats.markdown:load_markdown", (".md", ".markdown")),
    ("formats.subtitles:load_subtitles", (".srt", ".vtt", ".sbv", ".ass", ".ssa")),
    ("formats.content_lines:load_content_lines", (".ics", ".ical", ".ifb", ".vcf", ".vcard")),
    ("formats.xml_text:load_xml", (".xml",)),
    ("formats.notebook:load_notebook", (".ipynb",)),
    ("formats.html:load_html", (".html", ".htm", ".xhtml")),
    ("formats.rst:load_rst", (".rst",)),
    ("formats.spreadsheet:load_csv", (".csv", ".tsv")),
)
_LOADERS = _LOADERS_OF_TEXT | _by_suffix(
    ("formats.spreadsheet:load_xlsx", (".xlsx", ".xlsm", ".xltx", ".xltm")),
    ("formats.spreadsheet:load_xls", (".xls", ".xlsb")),
    ("formats.docx:load_docx", (".docx", ".docm")),
    ("formats.pptx:load_pptx", (".pptx", ".pptm")),
    ("formats.opendocument:load_odt", (".odt",)),
    ("formats.opendocument:load_odp", (".odp",)),
    ("formats.opendocument:load_ods", (".ods",)),
    ("formats.rtf:load_rtf", (".rtf",)),
    ("formats.epub:load_epub", (".epub",)),
    ("pdf.loader:load_pdf", (".pdf",)),
)
_PAGED = frozenset({".pdf"})
"""Formats whose loaders also take ``ReadOptions`` and ``on_page``."""

_CONTAINERS_OF_TEXT = _by_suffix(
    ("formats.json_text:members_of_json", (".json",)),
    ("formats.json_text:members_of_json_lines", (".jsonl", ".ndjson")),
)
_CONTAINERS = _CONTAINERS_OF_TEXT | _by_suffix(
    ("archives:members_of_zip", (".zip",)),
    ("archives:members_of_tar", (".tar",)),
    ("archives:members_of_compressed", (".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz")),
    ("formats.signed:members_of_signed", (".p7m",)),
    ("formats.mail:members_of_mail", (".eml", ".mht", ".mhtml")),
    ("formats.mail:members_of_mailbox", (".mbox",)),
)

_NONE = ReadOptions()
_DEEPEST = 4
"""Maximum nesting depth of containers."""

_MOST_MEMBERS = 1_000_000
"""Maximum number of documents per file, including those in nested containers."""

_NO_TEXT = "there is no text in it; remove it, or exclude it from indexing"
_TOO_DEEP = f"more than {_DEEPEST} archives are nested in each other here; unpack them first"
_TOO_MUCH = "it holds more than is safe to unpack at once; unpack it into a folder, and index that"

_NAME_TOO_LONG = (
    "something in it has a name of {length:,} characters, longer than any file system "
    "allows; shorten it"
)
_MORE_FAILED = "{count:,} more items in it could not be read"

_LONGEST_NAME = 1_000
_MOST_FAILURES = 1_000
_MOST_FACTS = 200
_LONGEST_KEY = 100
_LONGEST_VALUE = 2_000
"""Maximum length of a metadata value, in characters: metadata is held in memory for every queued
document, and repeated in each part of a long one."""

_LONGEST_TITLE = 500
_LONGEST_STAND_IN = 90
"""Maximum length of a title, in characters, including a sentence used as one."""

_BEGINNING = 10_000
"""Number of leading characters searched for a title."""

_MARKS = "-*•>#|. "
"""Markers of lists, quotations and tables that may precede the first word."""


def supported() -> dict[str, bool]:
    """Suffixes that ``load`` supports, in lower case, with the dot, and whether such a file is text
    that a person could read in an editor.
    """
    texts = _LOADERS_OF_TEXT.keys() | _CONTAINERS_OF_TEXT.keys()
    return {suffix: suffix in texts for suffix in (*_LOADERS, *_CONTAINERS)}


def load(
    path: Path, *, options: ReadOptions = _NONE, on_page: _OnPage = lambda: None
) -> Iterator[Document | Failure]:
    """Load the documents in the file at ``path``, lazily and in order.

    A text longer than ``PART_CHARACTERS`` comes in parts, see :mod:`rag.types.parts`. A document
    inside the file gets a source below the file's path, ``/a/letters.zip/2024/jan.txt``. Members
    that can't be read yield a Failure with such a source, and loading continues. If the suffix is
    wrong or missing, the format is detected from the content, and a warning in the document says
    so. A file without a title gets its first sentence as one, truncated to about 90 characters.
    ``options`` are the read options; ``on_page`` is called after each page, in formats that have
    pages.

    On the first iteration, raises LoadError if the whole file can't be opened, isn't what its
    suffix says, or contains no words, and UnknownFormat if its format is unsupported. Errors after
    the first document yield a Failure with the file's own source.
    """
    source = str(path.absolute())
    content = _content(path)
    begun, failed = False, 0
    try:
        for one in _Walk(content, options, on_page).documents(source, path.name, content):
            begun = True
            failed += isinstance(one, Failure)
            if failed <= _MOST_FAILURES or isinstance(one, Document):
                yield one
    except LoadError as error:
        if not begun:
            raise
        yield Failure(source, str(error), error.kind)
    if failed > _MOST_FAILURES:
        yield Failure(source, _MORE_FAILED.format(count=failed - _MOST_FAILURES))


class _Walk:
    """Traverses one file and everything in it; stops when too much has come out."""

    def __init__(self, content: Content, options: ReadOptions, on_page: _OnPage) -> None:
        self._members_left = _MOST_MEMBERS
        self._bytes_left = max_unpacked_size(len(content))
        self._options, self._on_page = options, on_page

    def documents(
        self, source: str, name: str, content: Content, depth: int = 0
    ) -> Iterator[Document | Failure]:
        """Yield the documents in a file, which is inside ``depth`` containers; the suffix of
        ``name`` gives its format. Raises LoadError if it can't be read as a whole.
        """
        kind = detect(name, content, supported())
        notes = (kind.warning,) if kind.warning else ()
        within = partial(self._of_container, source, name, content, notes=notes, depth=depth)
        if kind.suffix in _CONTAINERS:
            if depth == _DEEPEST:
                raise LoadError(_TOO_DEEP)
            members = self._call(_resolve(_CONTAINERS[kind.suffix]), content)
            yield from within(members)
            return
        results = self._call(self._loader(kind.suffix), content)
        first = next(results, None)
        if first is None:
            raise LoadError(_NO_TEXT)
        # All parts of the file's own text come before its attachments.
        for is_own, group in groupby(chain((first,), results), lambda one: isinstance(one, Loaded)):
            if is_own:
                yield from _documents(source, digest_of(content), group, notes, kind.suffix)
            elif depth == _DEEPEST:
                yield Failure(source, _TOO_DEEP)
            else:
                yield from within(group)

    def _of_container(
        self,
        source: str,
        name: str,
        content: Content,
        members: Iterable[Member | Failure],
        *,
        notes: tuple[str, ...],
        depth: int,
    ) -> Iterator[Document | Failure]:
        sources = _MemberSources(source)
        for member in members:
            inner = member.source if isinstance(member, Failure) else member.name
            if len(inner) > _LONGEST_NAME:
                yield Failure(source, _NAME_TOO_LONG.format(length=len(inner)))
            elif isinstance(member, Failure):
                yield replace(member, source=sources.of(inner) if inner else source)
            elif inner:
                yield from self._of_member(sources.of(inner), member, depth + 1)
            elif isinstance(member.content, Loaded):  # the container's own text
                self._count(member)
                yield from _documents(source, digest_of(content), member.content, notes)
            else:  # the single file that it wraps
                self._count(member)
                stem = PurePosixPath(name).stem
                yield from self.documents(source, stem, member.content, depth + 1)

    def _of_member(self, source: str, member: Member, depth: int) -> Iterator[Document | Failure]:
        self._count(member)
        content = member.content
        try:
            if isinstance(content, Loaded):
                yield from _documents(source, _digest(content), content)
            else:
                yield from self.documents(source, member.name, content, depth)
        except LoadError as error:
            yield Failure(source, str(error), error.kind)

    def _loader(self, suffix: str) -> _Loader:
        loader: Callable[..., Loaded | Iterator[Loaded]] = _resolve(_LOADERS[suffix])
        if suffix in _PAGED:
            ocr, passwords = self._options.ocr, self._options.passwords
            return partial(loader, ocr=ocr, passwords=passwords, on_page=self._on_page)
        return loader

    def _call(self, function: Callable[[Content], Any], content: Content) -> Iterator[Any]:
        """Yield the results of a loader or container. Any exception that a broken file causes in a
        parser becomes a LoadError, so that other files are unaffected.
        """
        try:
            results = function(content)
            yield from [results] if isinstance(results, Loaded) else results
        except LoadError:
            raise
        except MemoryError as error:
            raise LoadError(self._options.too_large) from error
        except Exception as error:
            what = one_line(f"{type(error).__name__}: {error}")[:200]
            raise LoadError(
                f"its parser gave up ({what}); open it in its program and save it again"
            ) from error

    def _count(self, member: Member) -> None:
        self._members_left -= 1
        if isinstance(member.content, bytes):
            self._bytes_left -= len(member.content)
        if self._members_left < 0 or self._bytes_left < 0:
            raise LoadError(_TOO_MUCH)


class _MemberSources:
    """Gives the members of a container distinct sources; duplicates get a number."""

    def __init__(self, container: str) -> None:
        self._container = container
        self._used: set[str] = set()
        self._numbers: dict[str, int] = {}

    def of(self, name: str) -> str:
        """Source of the next member, which is called ``name``."""
        name = re.sub(r"/+(?=/part )", "", f"/{name}")[1:]  # otherwise it could pass for a part
        suffix = PurePosixPath(name).suffix
        unique, number = name, self._numbers.get(name, 1)
        while unique in self._used:
            number += 1
            unique = f"{name.removesuffix(suffix)} ({number}){suffix}"
        self._used.add(unique)
        self._numbers[name] = number
        return f"{self._container}/{unique}"


def _resolve(name: str) -> Any:  # noqa: ANN401 (a loader or a container)
    return pkgutil.resolve_name(f"{__package__}.{name}")


def _digest(record: Loaded) -> str:
    """Digest of a record, which has no bytes of its own, from its content only: a record stays the
    same document when records are inserted around it or it is moved.
    """
    day = record.date.isoformat() if record.date else None
    hashed = [record.title, day, record.text, sorted(record.metadata.items())]
    return hashlib.sha256(json.dumps(hashed).encode()).hexdigest()


def _documents(
    source: str,
    digest: str,
    loaded: Loaded | Iterable[Loaded],
    notes: tuple[str, ...] = (),
    read_as: str = "",
) -> Iterator[Document]:
    """Build the parts of a document, usually one; parts without words are dropped."""
    nonempty = (one for one in parts_of(loaded) if any(map(str.isalnum, one.text)))
    start = list(islice(nonempty, 2))
    in_parts = {READ_AS: read_as} if len(start) > 1 else {}
    first: Document | None = None
    for number, part in enumerate(chain(start, nonempty), 1):
        facts, left_out = ({}, ()) if first else _limit_metadata(part.metadata)
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


def _limit_metadata(metadata: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Limit metadata in size; returns it with a warning about anything dropped."""
    kept = {
        key: value[:_LONGEST_VALUE]
        for key, value in islice(metadata.items(), _MOST_FACTS)
        if len(key) <= _LONGEST_KEY
    }
    whole = sum(kept.get(key) == value for key, value in metadata.items())
    note = f"{len(metadata) - whole:,} metadata fields were too long or too many"
    return kept, () if whole == len(metadata) else (note,)


def _title(loaded: Loaded) -> str:
    return _truncate(loaded.title or _first_sentence(loaded.text), _LONGEST_TITLE)


def _content(path: Path) -> Content:
    try:
        if not path.exists():
            raise LoadError("there is no such file; check its name, or whether it was moved")
        return content_of(path)
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise LoadError(f"it can't be opened ({reason}); check who may read it") from error


def _first_sentence(text: str) -> str:
    """The first sentence that has a word, on one line, truncated to serve as a title."""
    for paragraph in paragraphs(text[:_BEGINNING]):
        for sentence in sentences(text, paragraph):
            words = one_line(sentence.of(text)).lstrip(_MARKS)
            if any(character.isalnum() for character in words):
                return _truncate(words, _LONGEST_STAND_IN)
    return _truncate(one_line(text[:_BEGINNING]), _LONGEST_STAND_IN)


def _truncate(words: str, longest: int) -> str:
    """Truncate to at most ``longest`` characters, between words if possible."""
    if len(words) <= longest:
        return words
    kept = words[: longest - len("…")]
    if words[len(kept)] != " " and " " in kept:
        kept = kept[: kept.rfind(" ")]
    return kept.rstrip(" ,;:.-\u2013\u2014") + "…"
