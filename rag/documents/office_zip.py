"""Safe access to ZIP packages of XML parts, the basis of office files and e-books.

Files are untrusted: a part's size is checked before it is decompressed, total decompression is
limited, entities are not expanded, and nothing external is ever accessed.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import unquote

from rag.documents.content import Content, stream_of
from rag.documents.dates import parse_date
from rag.documents.metadata import Metadata, file_metadata
from rag.documents.whitespace import one_line
from rag.errors import LoadError

Element: TypeAlias = Any
"""An lxml element (lxml ships no types)."""

_MOST_PARTS = 50_000
MOST_UNPACKED = 2 << 30
"""Maximum declared decompressed size of all parts together, in bytes."""
_MOST_IN_PART = 64 << 20
"""Maximum size of a part read as a whole, in bytes; more than the text of a hundred books."""
_MOST_TAGS = 6_000_000
"""Maximum number of tags in such a part: each takes some hundred bytes of memory."""
_MOST_RATIO = 250
"""Maximum compression ratio of a large part; office files reach 10 to 30."""
_SMALL = 8 << 20
"""Size in bytes below which the ratio is not checked."""
_MOST_READINGS = 5
"""How often the parts may be read on average; each part is needed once or twice."""
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Compression methods these formats allow. For any other, zipfile decompresses a megabyte at a time
as a whole, which may become gigabytes whatever the declared size."""

_OF_TEMPLATES = frozenset(
    {
        *("2013-12-23T23:15:00Z", "2013-01-27T09:14:16Z", "2013-01-27T09:15:58Z"),
        *("1601-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1980-01-01T00:00:00Z"),
    }
)
"""Dates that are no document's: those of the templates in python-docx and python-pptx, and the
zeros of clocks."""

_CHUNK = 1 << 20
_EXPAT_NO_MEMORY = 1
_ENTITY = b"<!ENTITY"
_ENTITIES = (_ENTITY, _ENTITY.decode().encode("utf-16-le")[:-1])

_PREFIXES = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main": "w",
    "http://purl.oclc.org/ooxml/wordprocessingml/main": "w",
    "http://schemas.openxmlformats.org/presentationml/2006/main": "p",
    "http://purl.oclc.org/ooxml/presentationml/main": "p",
    "http://schemas.openxmlformats.org/drawingml/2006/main": "a",
    "http://purl.oclc.org/ooxml/drawingml/main": "a",
    "http://schemas.openxmlformats.org/drawingml/2006/diagram": "dgm",
    "http://schemas.openxmlformats.org/drawingml/2006/chart": "c",
    "http://purl.oclc.org/ooxml/drawingml/chart": "c",
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships": "r",
    "http://purl.oclc.org/ooxml/officeDocument/relationships": "r",
    "http://schemas.openxmlformats.org/officeDocument/2006/math": "m",
    "http://purl.oclc.org/ooxml/officeDocument/math": "m",
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "urn:schemas-microsoft-com:vml": "v",
    "urn:oasis:names:tc:opendocument:xmlns:office:1.0": "office",
    "urn:oasis:names:tc:opendocument:xmlns:text:1.0": "text",
    "urn:oasis:names:tc:opendocument:xmlns:table:1.0": "table",
    "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0": "draw",
    "urn:oasis:names:tc:opendocument:xmlns:presentation:1.0": "presentation",
    "urn:oasis:names:tc:opendocument:xmlns:style:1.0": "style",
    "urn:oasis:names:tc:opendocument:xmlns:meta:1.0": "meta",
    "urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0": "svg",
    "http://www.w3.org/1999/xlink": "xlink",
}


@lru_cache(maxsize=4096)
def short(name: str) -> str:
    """Convert ``{namespace}local`` to the usual prefixed form, ``w:p``; without a namespace,
    ``local``.
    """
    namespace, _, local = name.removeprefix("{").rpartition("}")
    prefix = _PREFIXES.get(namespace, "?" if namespace else "")
    return f"{prefix}:{local}" if prefix else local


def attribute(element: Element | None, name: str) -> str | None:
    """Value of the attribute with this prefixed name."""
    for key, value in () if element is None else element.attrib.items():
        if short(key) == name:
            return str(value)
    return None


def children(element: Element | None, *names: str) -> Iterator[Element]:
    """Children of ``element`` with one of these prefixed names, in order."""
    for child in () if element is None else element:
        if isinstance(child.tag, str) and short(child.tag) in names:
            yield child


def child(element: Element | None, *path: str) -> Element | None:
    """Follow ``path`` from element to first matching child; None if a step is missing."""
    for name in path:
        element = next(children(element, name), None)
    return element


def walk(root: Element) -> Iterator[tuple[str, str, Element, Any]]:
    """Yield "start" and "end" events below ``root``, in order, each with the prefixed name, the
    element, and the walker, whose ``skip_subtree`` skips the content of the started element.
    """
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    walker = etree.iterwalk(root, events=("start", "end"))
    for event, element in walker:
        if isinstance(element.tag, str):
            yield event, short(element.tag), element, walker


class Package:
    """A ZIP package of named parts."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        # Number of bytes that may still be decompressed.
        self._left = _SMALL + _MOST_READINGS * sum(part.file_size for part in archive.infolist())

    def __contains__(self, name: str) -> bool:
        return name in self.archive.NameToInfo

    @property
    def names(self) -> list[str]:
        """Names of all parts."""
        return self.archive.namelist()

    def chunks(self, name: str, most: int = _MOST_IN_PART) -> Iterator[bytes]:
        """Yield a part's content in chunks.

        Raises LoadError if the part is missing, damaged or encrypted; if it would decompress to
        more than ``most`` bytes or exceeds the compression ratio; and if so much has been read that
        other parts must be referencing it over and over.
        """
        info = self.archive.NameToInfo.get(name)
        if info is None:
            raise LoadError(f"a part of it is missing ({name}); get a complete copy of it")
        if info.flag_bits & 1:
            raise LoadError("it is encrypted; save an unprotected copy and index that")
        if info.compress_type not in _METHODS:
            raise LoadError(f"its compression method isn't supported ({name})")
        # No more than the declared size is decompressed: zipfile stops there.
        if info.file_size > most:
            raise LoadError(
                f"it would unpack to more than {most >> 20:,} MiB ({name}); "
                "split it, or exclude it from indexing"
            )
        if info.file_size > max(_SMALL, _MOST_RATIO * info.compress_size):
            raise LoadError(
                f"it is compressed more than {_MOST_RATIO}-fold ({name}), as only a forged file is"
            )
        self._left -= info.file_size
        if self._left < 0:
            raise LoadError(f"it uses the same part again and again ({name}), as no program does")
        try:
            with self.archive.open(info) as part:
                while chunk := part.read(_CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise LoadError(f"it is damaged ({name}); get a complete copy of it") from error
        except (NotImplementedError, RuntimeError, ValueError) as error:
            raise LoadError(f"its compression method isn't supported ({name})") from error

    def read(self, name: str) -> bytes:
        """Read a part as a whole; raises LoadError as ``chunks`` does."""
        return b"".join(self.chunks(name))

    def tree(self, name: str) -> Element:
        """Parse an XML part and return its root element.

        Raises LoadError as ``chunks`` does, and if the part is not XML, is nested more than 256
        deep, or declares entities.
        """
        from lxml import etree  # type: ignore[import-untyped,unused-ignore]

        data = self.read(name)
        if any(entity in data for entity in _ENTITIES):
            raise LoadError(f"it declares entities ({name}), as only a forged file would")
        if data.count(b"<") > _MOST_TAGS:
            raise LoadError(f"it has more than {_MOST_TAGS:,} tags ({name}); split it")
        parser = etree.XMLParser(
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            return etree.fromstring(data, parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            if is_out_of_memory(error):
                raise MemoryError from error
            what = one_line(str(error))[:120]
            raise LoadError(f"it is damaged ({name}: {what}); get a complete copy of it") from error

    def tree_if_there(self, name: str | None) -> Element | None:
        """As ``tree``; None if there is no such part."""
        return self.tree(name) if name and name in self else None

    def tree_if_readable(self, name: str) -> Element | None:
        """As ``tree``; None if the part is missing or broken: the text is what matters."""
        try:
            return self.tree_if_there(name)
        except LoadError:
            return None

    def check(self, name: str, what: bytes, most: int) -> None:
        """Check size and entities as ``tree`` does, without keeping the part in memory; also raises
        LoadError if ``what`` occurs more than ``most`` times.
        """
        tail = b""
        for chunk in self.chunks(name, MOST_UNPACKED):
            window = tail + chunk
            most -= chunk.count(what)
            if most < 0:
                raise LoadError(f"it has more parts than any real file ({name}); split it")
            if any(entity in window for entity in _ENTITIES):
                raise LoadError(f"it declares entities ({name}), as only a forged file would")
            tail = window[-2 * len(_ENTITY) :]

    def relations(self, name: str) -> Mapping[str, tuple[str, str]]:
        """Relationships of an OOXML part: id to type and target part."""
        folder, _, file = name.rpartition("/")
        root = self.tree_if_there(posixpath.join(folder, "_rels", f"{file}.rels"))
        return {
            relation.get("Id", ""): (
                relation.get("Type", "").rpartition("/")[2],
                resolved(folder, relation.get("Target", "")),
            )
            for relation in (() if root is None else root)
            if isinstance(relation.tag, str) and relation.get("TargetMode") != "External"
        }


def left_out(
    package: Package, kinds: Mapping[str, str], *, read: Container[str] = ()
) -> tuple[str, ...]:
    """Say how many parts of a package are left out, by kind; ``kinds`` are given by regular
    expressions for the beginnings of names, and ``read`` are the names of those that aren't.
    """
    found = Counter(
        kind
        for name in package.names
        for pattern, kind in kinds.items()
        if re.match(pattern, name) and not name.endswith((".rels", "/")) and name not in read
    )
    return tuple(
        f"{count:,} {kind} was left out" if count == 1 else f"{count:,} {kind}s were left out"
        for kind, count in found.items()
    )


def resolved(folder: str, target: str) -> str:
    """Resolve a reference relative to the folder of the part it is in."""
    path = unquote(target.partition("#")[0])
    return posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error was caused by lack of memory; XML parsers report it as an error in the
    file.
    """
    from xml.etree.ElementTree import ParseError

    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    if isinstance(error, etree.XMLSyntaxError):
        return bool(error.code == etree.ErrorTypes.ERR_NO_MEMORY)
    return isinstance(error, MemoryError) or (
        isinstance(error, ParseError) and error.code == _EXPAT_NO_MEMORY
    )


def open_package(content: Content, kind: str) -> Package:
    """Open a file that is supposed to be of a ``kind`` such as "Word document".

    Raises LoadError if it is empty, not a ZIP, truncated, encrypted, or would decompress to too
    much.
    """
    if not content[:1]:
        raise LoadError("it is empty; get a complete copy of it")
    try:
        package = Package(zipfile.ZipFile(stream_of(content)))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        if content[:2] == b"PK":
            raise LoadError("it is damaged or cut short; get a complete copy of it") from error
        raise not_valid(kind) from error
    parts = package.archive.infolist()
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise LoadError(
            f"it would unpack to more than {MOST_UNPACKED >> 20:,} MiB or {_MOST_PARTS:,} files; "
            "split it, or exclude it from indexing"
        )
    return package


def not_valid(kind: str) -> LoadError:
    """The error for a file of another kind than ``kind``."""
    return LoadError(f"it is not a valid {kind}; give it the extension that matches its content")


def open_ooxml(content: Content, kind: str, root: str) -> tuple[Package, str]:
    """As ``open_package``, for an OOXML file; also returns the name of its main part, which must be
    in folder ``root``.
    """
    package = open_package(content, kind)
    for relation, name in package.relations("").values():
        if relation == "officeDocument" and name in package and name.startswith(root):
            return package, name
    raise not_valid(kind)


def core_properties(package: Package) -> Metadata:
    """Metadata from an OOXML file's core properties, which may be missing."""
    named = (name for kind, name in package.relations("").values() if kind == "core-properties")
    root = package.tree_if_readable(next(named, "docProps/core.xml"))
    return dublin_core(root, authors=("dc:creator",), dates=("dcterms:modified", "dcterms:created"))


def dublin_core(
    root: Element | None, *, authors: tuple[str, ...], dates: tuple[str, ...]
) -> Metadata:
    """Read Dublin Core metadata from the children of ``root``.

    ``authors`` and ``dates`` are element names in order of preference; of the dates, the first
    valid one is used that isn't a template's.
    """

    def values_of(*names: str) -> Iterator[str]:
        for name in names:
            element = child(root, name)
            if element is not None and (element.text or "").strip():
                yield element.text

    stated = (date for date in values_of(*dates) if date.strip() not in _OF_TEMPLATES)
    return file_metadata(
        title=next(values_of("dc:title"), ""),
        author=next(values_of(*authors), ""),
        date=next(filter(parse_date, stated), ""),
        language=next(values_of("dc:language"), ""),
    )
