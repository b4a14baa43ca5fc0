"""From a file to a Document: the registry of formats.

A loader is a function from a file's bytes to ``Loaded``; it raises LoadError where it can't. To
read another format, write one and name its suffixes in ``_LOADERS``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from rag.errors import LoadError, UnknownFormat
from rag.loaders.html import load_html
from rag.loaders.loaded import Loaded
from rag.loaders.markdown import load_markdown
from rag.loaders.plain import load_plain
from rag.loaders.tidying import one_line
from rag.sentences import paragraphs, sentences
from rag.types import Document, document_id

__all__ = ["Loaded", "load", "supported"]

_LOADERS: Mapping[str, Callable[[bytes], Loaded]] = MappingProxyType(
    {
        ".txt": load_plain,
        ".text": load_plain,
        ".md": load_markdown,
        ".markdown": load_markdown,
        ".html": load_html,
        ".htm": load_html,
        ".xhtml": load_html,
    }
)

_LONGEST_TITLE = 90
_BEGINNING = 10_000
"""Characters among which a title is looked for."""

_MARKS = "-*•>#|. "
"""What a list, a quotation or a table may put before the first word."""


def supported() -> frozenset[str]:
    """The suffixes that ``load`` knows, in lower case, each with its dot."""
    return frozenset(_LOADERS)


def load(path: Path) -> Document:
    """Read the file at ``path`` as a document.

    Where the file names no title, its first sentence stands in for one, cut near 90 characters.

    Raises UnknownFormat for a suffix that isn't ``supported()``, and LoadError where the file
    can't be opened, isn't what its suffix says, or holds no word.
    """
    loader = _loader(path)
    data = _bytes(path)
    loaded = loader(data)
    if not any(character.isalnum() for character in loaded.text):
        raise LoadError("there is no text in it; remove it, or leave it out of what is indexed")
    digest = hashlib.sha256(data).hexdigest()
    return Document(
        id=document_id(digest),
        source=str(path.absolute()),
        title=loaded.title or _first_sentence(loaded.text),
        text=loaded.text,
        digest=digest,
        date=loaded.date,
        metadata=loaded.metadata,
        headings=loaded.headings,
        pages=loaded.pages,
    )


def _loader(path: Path) -> Callable[[bytes], Loaded]:
    suffix = path.suffix.lower()
    loader = _LOADERS.get(suffix)
    if loader is None:
        known = ", ".join(sorted(_LOADERS))
        kind = f"files ending in {suffix}" if suffix else "files without an ending"
        raise UnknownFormat(f"{kind} can't be read; convert it to one of {known}")
    return loader


def _bytes(path: Path) -> bytes:
    try:
        if not path.is_file():  # a pipe or a device would keep us waiting
            raise LoadError("there is no such file; check its name, or whether it was moved")
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise LoadError(f"it can't be opened ({reason}); check who may read it") from error


def _first_sentence(text: str) -> str:
    """The first sentence that has a word, on one line, shortened to serve as a title."""
    for paragraph in paragraphs(text[:_BEGINNING]):
        for sentence in sentences(text, paragraph):
            words = one_line(sentence.of(text)).lstrip(_MARKS)
            if any(character.isalnum() for character in words):
                return _shortened(words)
    return _shortened(one_line(text))


def _shortened(words: str) -> str:
    """At most ``_LONGEST_TITLE`` characters, cut between words if there is a blank to cut at."""
    if len(words) <= _LONGEST_TITLE:
        return words
    kept = words[: _LONGEST_TITLE - len("…")]
    if words[len(kept)] != " ":
        kept = kept[: kept.rfind(" ")] if " " in kept else kept
    return kept.rstrip(" ,;:.-\u2013\u2014") + "…"
