"""Maintenance of a library: backups, and diagnostics for bug reports.

A backup contains the store and uploaded files, but no index. The price: where documents were
removed since tantivy's last merge, the original still counts their terms and the copy doesn't, so
lexical scores can differ slightly. The store is copied by ``VACUUM INTO``, which omits deleted text
and doesn't block writers.
"""
