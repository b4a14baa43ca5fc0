"""The vector index over sentences. The only package that imports FAISS.

It is a log-structured merge tree (O'Neil and others, "The log-structured merge-tree", 1996): a main
segment in a file that is only ever rewritten as a whole, a delta of later sentences, and tombstones
for deleted passages. So adding a document to a million passages takes no longer than to ten, and a
search never sees half a change.

The type of the main segment depends on its size:

- Up to :data:`rag.index.vectors.segment.EXACT` sentences, half-precision vectors as in the store,
  searched exhaustively: results are exact.
- Beyond, one bit per dimension and a few numbers per sentence (Gao and Long, "RaBitQ", SIGMOD 2024)
  in an inverted file, of which at most an eighth of the lists is probed. When the index is trained,
  its recall is measured, and the number of lists to probe is chosen accordingly.

FAISS doesn't validate NaNs or files, so that is done here.
"""
