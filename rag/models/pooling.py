"""From a model's forward pass to the encodings of passages and queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from rag.text.stemmer import blank_out
from rag.types import Passage, PassageEncoding, QueryEncoding, SimilarityScale
from rag.types.arrays import Offsets, TokenVectors, Vector, Vectors

if TYPE_CHECKING:
    from tokenizers import Encoding


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """Result of a forward pass: token vectors per text, special tokens included, and one
    unnormalised vector per text, shape (texts, full dimension).
    """

    tokens: list[TokenVectors]
    texts: Vectors


RunModel: TypeAlias = "Callable[[Sequence[Encoding], str], Forward]"
"""Runs a model over any number of tokenised texts, each preceded by the prompt."""


def offsets(encoding: Encoding, text: str) -> Offsets:
    """Character offsets of each token in its text, special tokens included.

    Some tokenizers count a leading space as part of a token; it is excluded here.
    """
    found = [
        (end - len(text[start:end].lstrip()), end)
        if text[start:end][:1].isspace()
        else (start, end)
        for start, end in encoding.offsets
    ]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def late(
    passage: Passage,
    encoding: Encoding,
    prompt: str,
    tokens: TokenVectors,
    center: Vector,
) -> PassageEncoding:
    """Encode a passage that was read as a whole after a prompt (late pooling).

    A sentence's vector is the mean of its token vectors; a sentence without tokens gets the vector
    of the passage.

    Parameters
    ----------
    tokens
        Shape (tokens, dimension), including special and prompt tokens.
    center
        What the bits are relative to: the mean token vector of texts, shape (dimension,).
    """
    kept, spans = _without_prompt(encoding, prompt, passage.text)
    firsts = np.array([span.start - passage.start for span in passage.sentences])
    # Assign each token to the last sentence that begins at or before it.
    sentence = np.searchsorted(firsts, spans[:, 0], side="right") - 1
    counts = np.bincount(sentence, minlength=len(firsts))
    belongs = (sentence == np.arange(len(firsts))[:, None]).astype(np.float32)
    # The sum differs from the mean only in length, which normalisation removes.
    sums = belongs @ tokens[kept]
    sums[counts == 0] = tokens.sum(axis=0)
    return PassageEncoding(
        sentences=unit(sums),
        counts=counts.astype(np.int32),
        pieces=_pieces(encoding)[kept],
        bits=np.packbits(tokens[kept] > center, axis=1),
    )


def alone(
    passage: Passage,
    encodings: Sequence[Encoding],
    prompt: str,
    tokens: Sequence[TokenVectors],
    vectors: Vectors,
    *,
    center: Vector,
) -> PassageEncoding:
    """Encode a passage whose sentences were read one by one, each after a prompt.

    A sentence without tokens gets the mean vector of the passage.

    Parameters
    ----------
    encodings, tokens, vectors
        One per sentence: its tokens and their vectors, including special and prompt tokens, and the
        sentence vector.
    center
        As in :func:`late`.
    """
    kept = [
        _without_prompt(one, prompt, text)[0]
        for one, text in zip(encodings, passage.sentence_texts(), strict=True)
    ]
    counts = np.array([len(one) for one in kept], dtype=np.int32)
    sentences = unit(vectors)
    sentences[counts == 0] = unit(sentences.sum(axis=0))
    inside = [rows[mine] for rows, mine in zip(tokens, kept, strict=True)]
    pieces = [_pieces(one)[mine] for one, mine in zip(encodings, kept, strict=True)]
    return PassageEncoding(
        sentences=sentences,
        counts=counts,
        pieces=np.concatenate(pieces),
        bits=np.packbits(np.concatenate(inside) > center, axis=1),
    )


def question(
    text: str,
    encoding: Encoding,
    prompt: str,
    tokens: TokenVectors,
    vector: Vector,
    *,
    center: Vector,
    legibility: float,
    scale: SimilarityScale,
) -> QueryEncoding:
    """Encode a query that was read after a prompt."""
    kept, spans = _without_prompt(encoding, prompt, text)
    words = [encoding.word_ids[n] for n in kept]
    spaced, _ = blank_out(text)  # elsewhere, a tokenizer takes a whole clause for a word
    inside = [bool(spaced[a:b].strip()) for a, b in spans.tolist()]
    return QueryEncoding(
        vector=unit(vector),
        pieces=_pieces(encoding)[kept],
        tokens=tokens[kept] - center,
        is_word=np.array([any(map(str.isalnum, text[a:b])) for a, b in spans.tolist()], bool),
        continued=np.array(
            [n > 0 and word == words[n - 1] and inside[n] for n, word in enumerate(words)], bool
        ),
        legibility=legibility,
        scale=scale,
    )


def unit(vectors: Vectors | Vector) -> Vectors | Vector:
    """Normalise vectors to unit length; zero vectors stay zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return cast("Vectors", (vectors / np.maximum(lengths, 1e-12)).astype(np.float32))


def _without_prompt(
    encoding: Encoding, prompt: str, text: str
) -> tuple[NDArray[np.int64], Offsets]:
    """Indices and character offsets of the tokens that belong to the text itself."""
    spans = offsets(encoding, prompt + text) - len(prompt)
    own = np.array(encoding.special_tokens_mask) == 0
    if prompt:
        own &= spans[:, 1] > 0
    kept = np.flatnonzero(own)
    return kept, np.maximum(spans[kept], 0)


def _pieces(encoding: Encoding) -> NDArray[np.int32]:
    return np.array(encoding.ids, dtype=np.int32)
