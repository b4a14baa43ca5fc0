"""What every peer makes of documents: chunks and a search for them; and where chunks stand in their
text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Search = Callable[[str, int], list[int]]
"""A question → the numbers of the best chunks, best first, at most so many."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document, as the peer cut it."""

    document: str
    text: str


@dataclass(frozen=True, slots=True)
class Indexed:
    """Chunks of documents, each document's in its order, and how they are searched."""

    chunks: Sequence[Chunk]
    search: Search


def chunk_spans(text: str, chunks: Sequence[str]) -> list[tuple[int, int]]:
    """Where chunks begin and end that were cut from a text one after the other, half-open.

    Splitters drop white space at the ends of a chunk, and some fold it within. So a chunk is looked
    for without its white space, in the text without its white space.

    It is looked for right after the one before it; then from the beginning of that one on, since
    chunks may overlap; and at last before it, where repeated words led too far.

    Parameters
    ----------
    text
        The text.
    chunks
        Its chunks, in its order. None is only blanks.

    Raises
    ------
    ValueError
        If a chunk does not stand in the text, or has nothing but blanks.
    """
    solid = [place for place, one in enumerate(text) if not one.isspace()]
    bare = "".join(text[place] for place in solid)
    places: list[tuple[int, int]] = []
    begun, ended = -1, 0
    for chunk in chunks:
        wanted = "".join(chunk.split())
        if bare.startswith(wanted, ended):
            begun = ended
        else:
            after = bare.find(wanted, begun + 1)
            begun = after if after >= 0 else bare.rfind(wanted)
        if not wanted or begun < 0:
            raise ValueError(f"the chunk {chunk[:80]!r} does not stand in the text of its document")
        ended = begun + len(wanted)
        places.append((solid[begun], solid[ended - 1] + 1))
    return places
