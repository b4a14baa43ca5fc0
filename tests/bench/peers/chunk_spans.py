"""Chunks of a text → where in it they stand.

Splitters drop blanks at the ends of a chunk, and some fold those within. So a chunk is looked for
without its blanks, in the text without its blanks.
"""

from __future__ import annotations

from collections.abc import Sequence

Place = tuple[int, int]
"""Where a chunk begins and ends in its text, in characters, end exclusive."""


def chunk_spans(text: str, chunks: Sequence[str]) -> list[Place]:
    """The places of chunks that were cut from a text one after the other.

    A chunk is looked for right behind the one before it; if it is not there, from behind the
    beginning of that one on, since chunks may overlap; and at last before it, where the same
    words again and again led too far. So words which stand in the text more than once are found
    where they were cut, or at least beside it.

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
    places: list[Place] = []
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
