"""Encodings → bytes with a checksum, and back; and the hash under which they are kept."""

from __future__ import annotations

import hashlib
import struct

import numpy as np

from rag.store import sentence_spans
from rag.types import Passage, PassageEncoding

FORMAT = 1
"""Of what is kept. It is part of the hash, so another version's is never found."""

_HEAD = struct.Struct("<8sII")  # checksum, sentences, tokens


def content_digest(fingerprint: str, passage: Passage) -> bytes:
    """32 bytes that stand for all that an encoding depends on: model, words and sentences."""
    text = passage.text.encode()
    hashed = hashlib.blake2b(f"{FORMAT} {fingerprint} {len(text)} ".encode(), digest_size=32)
    hashed.update(text)
    hashed.update(sentence_spans(passage, -passage.start).tobytes())
    return hashed.digest()


def packed(encoding: PassageEncoding, key: bytes) -> bytes:
    """An encoding as the store has it, with a checksum: SQLite has none of its own."""
    body = b"".join(
        [
            encoding.sentences.astype(np.float16).tobytes(),
            encoding.counts.tobytes(),
            encoding.pieces.tobytes(),
            encoding.bits.tobytes(),
        ]
    )
    return _HEAD.pack(_checksum(key, body), len(encoding.counts), len(encoding.pieces)) + body


def unpacked(content: bytes, key: bytes, dimension: int) -> PassageEncoding:
    """The encoding again; ValueError if it is not what was kept under the key."""
    if len(content) < _HEAD.size:
        raise ValueError("what was kept is cut off")
    checksum, sentences, tokens = _HEAD.unpack_from(content)
    body = content[_HEAD.size :]
    sizes = [sentences * dimension * 2, sentences * 4, tokens * 4, tokens * -(-dimension // 8)]
    if checksum != _checksum(key, body) or len(body) != sum(sizes):
        raise ValueError("what was kept is not what was found")
    ends = np.cumsum(sizes).tolist()
    vectors, counts, pieces, bits = (
        body[end - size : end] for end, size in zip(ends, sizes, strict=True)
    )
    return PassageEncoding(
        sentences=np.frombuffer(vectors, np.float16).reshape(-1, dimension).astype(np.float32),
        counts=np.frombuffer(counts, np.int32),
        pieces=np.frombuffer(pieces, np.int32),
        bits=np.frombuffer(bits, np.uint8).reshape(-1, -(-dimension // 8)),
    )


def _checksum(key: bytes, body: bytes) -> bytes:
    return hashlib.blake2b(key + body, digest_size=8).digest()
