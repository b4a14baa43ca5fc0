"""Keeping a library: backups, and what a report of a fault needs.

An archive holds the store and the files that were sent, no index: FAISS and tantivy trust the bytes
they map, and an archive may come from a stranger. :mod:`rag.index.sqlite.validation` compares its
store with ``schema.sql`` first. The price: where documents were removed since tantivy last merged,
the original still counts their words and the copy doesn't, so lexical scores can differ a little.
The store is copied by ``VACUUM INTO``, which leaves deleted text behind and lets writers write.
"""
