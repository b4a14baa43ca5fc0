"""Maintenance of a library: backups, and diagnostics for bug reports.

A backup contains the store and uploaded files, but no index: FAISS and tantivy trust the bytes they
map, and an archive may come from a stranger. :mod:`rag.index.sqlite.validation` first compares its
store with ``schema.sql``. The price: where documents were removed since tantivy's last merge, the
original still counts their terms and the copy doesn't, so lexical scores can differ slightly. The
store is copied by ``VACUUM INTO``, which omits deleted text and doesn't block writers.
"""
