"""Sentence vectors → nearest sentences. The only package that knows FAISS.

A library's index is a sealed part in a file, which is only ever written anew, and two small parts
beside it: what came since, and which passages went (O'Neil and others, "The log-structured
merge-tree", 1996). So a document is added to a million passages as quickly as to ten, and a
search never sees half a change.

The sealed part has two rungs, by size:

- Up to :data:`rag.index.vectors.segment.EXACT` sentences, half-precision numbers as they are in the
  store, all of which are compared: what is found is exact.
- Beyond, a bit a dimension and a few numbers a sentence (Gao and Long, "RaBitQ", SIGMOD 2024) in
  lists of sentences that are near each other, an eighth of which are looked at, or fewer. It is
  measured, when the index is trained, how many of the nearest that finds, and how few are enough.

FAISS takes any NaN and any file on trust, so all of that is checked here.
"""

from rag.index.vectors.faiss_index import FaissIndex
from rag.index.vectors.layered import LayeredIndex, VectorIndex
from rag.index.vectors.segment import Sealed, Sentences, is_due, seal

__all__ = [
    "FaissIndex",
    "LayeredIndex",
    "Sealed",
    "Sentences",
    "VectorIndex",
    "is_due",
    "seal",
]
