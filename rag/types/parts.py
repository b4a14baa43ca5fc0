"""Large documents are stored in parts: several documents to the store, one to the reader.

Every part has the digest, title, date and metadata of the whole, and an id derived from the digest,
the format and the part's number. The first part has the source of the whole; a later one has a path
below it, ``/a/log.txt//part 2``. No other path has two slashes there: paths on disk have single
ones, and :mod:`rag.documents.registry` makes sure of names inside archives.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from rag.types import Document, document_id

PART_CHARACTERS = 1_000_000
"""Maximum characters of text in a part, some 500 printed pages. Memory use and the time of one
transaction grow with it."""

READ_AS = "parts_from"
"""The metadata key for the format as which the whole document was read."""

MARK = "//part "
"""Separates the number of a part after the first from the source of the whole."""

_FURTHER = re.compile(rf"{MARK}(\d{{1,9}})\Z")

_SHA256 = re.compile(r"[0-9a-f]{64}")


def part_id(digest: str, read_as: str, number: int) -> str:
    """The id of a part, counted from 1, of the document with that SHA-256, in hexadecimal; the
    format ``read_as`` determines where the text is cut.
    """
    return document_id(hashlib.sha256(f"{digest}{read_as}{MARK}{number}".encode()).hexdigest())


def part_source(source: str, number: int) -> str:
    """The source of a part, counted from 1."""
    return source if number == 1 else f"{source}{MARK}{number}"


def made_id(digest: str, read_as: str | None, source: str) -> str | None:
    """The id of the document or part with that source; None if the digest is no SHA-256.

    ``read_as`` is the format of a document in parts, as in its metadata.
    """
    if not (isinstance(digest, str) and _SHA256.fullmatch(digest)):  # it may be damaged
        return None
    if read_as is None:
        return document_id(digest)
    further = _FURTHER.search(source)
    return part_id(digest, read_as, int(further[1]) if further else 1)


def whole_source(source: str) -> str:
    """The source of the whole document, given that of the whole or of any part."""
    return _FURTHER.sub("", source)


def is_further_part(source: str) -> bool:
    """Whether a source is that of a part after the first."""
    return _FURTHER.search(source) is not None


def count_pages(found: Iterable[tuple[str, Sequence[Sequence[int]]]]) -> tuple[int, int]:
    """Count the pages of documents, and the pages with text, given the source of each document and
    the start and end of each of its pages.

    In a part, the pages of earlier parts are empty; a page that was cut is in two parts.
    """
    with_text: dict[str, list[bool]] = {}
    for source, pages in found:
        known = with_text.setdefault(whole_source(source), [])
        known += [False] * (len(pages) - len(known))
        for number, (start, end) in enumerate(pages):
            known[number] |= end > start
    return sum(map(len, with_text.values())), sum(map(sum, with_text.values()))


def all_part_ids(document: Document, exists: Callable[[str], bool]) -> tuple[str, ...]:
    """The ids of all parts of the document to which ``document`` belongs, in order. Calls
    ``exists``, whether there is a document with an id, about 2 log2(parts) times.
    """
    read_as = document.metadata.get(READ_AS)
    if read_as is None:
        return (document.id,)
    ids = partial(part_id, document.digest, read_as)
    beyond = 2
    while exists(ids(beyond)):
        beyond *= 2
    numbers = range(beyond // 2 + 1, beyond)
    last = beyond // 2 + bisect_left(numbers, 1, key=lambda number: not exists(ids(number)))
    return tuple(map(ids, range(1, last + 1)))
