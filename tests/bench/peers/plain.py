"""Plain chunkers: one vector a chunk, and the chunks that are nearest by exact cosine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from chunks import Chunk, Indexed
from numpy.typing import NDArray

Splitter = Callable[[str], list[str]]

EMBEDDED_TOGETHER = 2_048
"""Chunks between two times that vectors are put away."""

PIECE = 50
"""Tokens of the pieces that clusters are made of."""

REPORT_SEPARATORS = ["\n\n", "\n", ".", "?", "!", " ", ""]
"""Where Chroma's report lets the recursive splitter cut."""


class PlainIndex:
    """Makes indexes of chunks, with one model; vectors are kept in a folder."""

    def __init__(self, model: str, kept: Path) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(model, device="cpu")
        self._kept = kept

    def indexed(self, documents: Mapping[str, str], split: Splitter) -> Indexed:
        """The chunks of all documents."""
        chunks = [Chunk(name, one) for name, text in documents.items() for one in split(text)]
        vectors = self.vectors([one.text for one in chunks])

        def search(question: str, k: int) -> list[int]:
            cosines = vectors @ self._model.encode([question], show_progress_bar=False)[0]
            return [int(one) for one in np.argsort(-cosines, kind="stable")[:k]]

        return Indexed(chunks, search)

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One a text, shape (texts, dimensions), of length 1; what was made before is read."""
        together = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:20]
        self._kept.mkdir(parents=True, exist_ok=True)
        # Long ones first: little is filled up, and lack of memory shows at once.
        order = np.argsort([-len(one) for one in texts], kind="stable")
        parts = []
        for begun in range(0, len(texts), EMBEDDED_TOGETHER):
            path = self._kept / f"{together}-{begun:07}.npy"
            if not path.exists():
                some = [texts[one] for one in order[begun : begun + EMBEDDED_TOGETHER]]
                made = self._model.encode(some, batch_size=8, show_progress_bar=False)
                unfinished = path.with_suffix(".part.npy")
                np.save(unfinished, made)
                unfinished.rename(path)
            parts.append(np.load(path))
        found = np.empty((len(texts), parts[0].shape[1]), dtype=np.float32)
        found[order] = np.concatenate(parts)
        return found


def passages(size: int, overlap: int) -> Splitter:
    """LangChain's recursive splitter, with so many characters."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    return RecursiveCharacterTextSplitter(chunk_size=size, chunk_overlap=overlap).split_text


def recursive(size: int) -> Splitter:
    """The recursive chunker of Chroma's report: so many tokens of cl100k, without overlap."""
    import tiktoken
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    encoding = tiktoken.get_encoding("cl100k_base")
    return RecursiveCharacterTextSplitter(
        chunk_size=size,
        chunk_overlap=0,
        separators=REPORT_SEPARATORS,
        length_function=lambda text: len(encoding.encode(text, disallowed_special=())),
    ).split_text


def clustered(size: int, vectors: Callable[[Sequence[str]], NDArray[np.float32]]) -> Splitter:
    """The cluster chunker of Chroma's report: at most about so many tokens."""
    small = recursive(PIECE)

    def split(text: str) -> list[str]:
        pieces = small(text)
        found = clusters(vectors(pieces), size // PIECE)
        return [" ".join(pieces[one.start : one.stop]) for one in found]

    return split


def clusters(vectors: NDArray[np.float32], most: int) -> list[range]:
    """Put similar neighbouring pieces together: the cluster chunker of Smith and Troynikov,
    "Evaluating chunking strategies for retrieval", 2024, whose package is in no registry.

    With s the cosine of two pieces less the mean over all pairs, the chunks are the runs of at
    most ``most`` pieces for which the sum of s over all pairs within a chunk is greatest. Of
    equal ways the one whose last chunk is shortest is taken.

    Parameters
    ----------
    vectors
        One a piece, of length 1, shape (pieces, dimensions); in the order of the text.
    most
        Pieces in a chunk, at least 1.

    Returns
    -------
    list
        The numbers of the pieces of each chunk.
    """
    count = len(vectors)
    alike = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    if count > 1:
        alike -= alike[np.triu_indices(count, k=1)].mean()
    np.fill_diagonal(alike, 0.0)
    # within[i, j] is the sum over the first i rows and j columns.
    within = np.pad(alike.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    best = [0.0]
    begins = [0]
    for end in range(1, count + 1):
        gains = [
            best[start] + within[end, end] - 2 * within[start, end] + within[start, start]
            for start in range(end - 1, max(-1, end - 1 - most), -1)
        ]
        size = int(np.argmax(gains)) + 1
        best.append(gains[size - 1])
        begins.append(end - size)
    found: list[range] = []
    end = count
    while end:
        found.append(range(begins[end], end))
        end = begins[end]
    return found[::-1]
