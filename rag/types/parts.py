"""Large documents are kept in parts: several documents to the store, one to the reader.

Every part has the digest, title, date and metadata of the whole, and an id that follows from the
digest, the format and its number. The first part has the whole's own source, and that of a further
one lies below it, ``/a/log.txt//part 2``. No path has two slashes there: paths on disk have single
ones, and :mod:`rag.documents.registry` sees to names inside archives.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from rag.types import Document, document_id

PART_CHARACTERS = 1_000_000
"""Characters of text that a part holds at most: some 500 printed pages. Memory and the time of
one transaction grow with it."""

READ_AS = "parts_from"
"""The name in the metadata of a part that says as which format the whole was read."""

MARK = "//part "
"""What separates the number of a further part from the source of the whole."""

_FURTHER = re.compile(rf"{MARK}\d+\Z")


def part_id(digest: str, read_as: str, number: int) -> str:
    """The id of a part, counted from 1, of a document in parts.

    Parameters
    ----------
    digest
        SHA-256 of the whole, in hexadecimal.
    read_as
        The format as which it was read: where a text is cut depends on it.
    """
    return document_id(hashlib.sha256(f"{digest}{read_as}{MARK}{number}".encode()).hexdigest())


def part_source(source: str, number: int) -> str:
    """The source of a part, counted from 1."""
    return source if number == 1 else f"{source}{MARK}{number}"


def whole_source(source: str) -> str:
    """The source of the whole document that a source belongs to; its own if it is no part."""
    return _FURTHER.sub("", source)


def is_further_part(source: str) -> bool:
    """Whether a source is that of the second part of a document or a later one."""
    return _FURTHER.search(source) is not None


def count_pages(found: Iterable[tuple[str, Sequence[Sequence[int]]]]) -> tuple[int, int]:
    """How many pages documents have, and on how many of them there is text.

    Parameters
    ----------
    found
        The source of each document, and where each of its pages starts and ends. In a part the
        pages of the parts before are empty, and one that was cut is in two parts.
    """
    with_text: dict[str, list[bool]] = {}
    for source, pages in found:
        known = with_text.setdefault(whole_source(source), [])
        known += [False] * (len(pages) - len(known))
        for number, (start, end) in enumerate(pages):
            known[number] |= end > start
    return sum(map(len, with_text.values())), sum(map(sum, with_text.values()))


def all_part_ids(document: Document, exists: Callable[[str], bool]) -> tuple[str, ...]:
    """The ids of all parts of a document that one of them is given of, in order; one for most.

    Parameters
    ----------
    exists
        Whether the library has the document of an id. It is asked about as many ids as the
        binary logarithm of the number of parts, twice.
    """
    read_as = document.metadata.get(READ_AS)
    if read_as is None:
        return (document.id,)
    ids = partial(part_id, document.digest, read_as)
    beyond = 2
    while exists(ids(beyond)):
        beyond *= 2
    last = beyond // 2
    while beyond - last > 1:
        middle = (last + beyond) // 2
        if exists(ids(middle)):
            last = middle
        else:
            beyond = middle
    return tuple(map(ids, range(1, last + 1)))
