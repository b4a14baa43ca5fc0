"""Storage and search on one machine: SQLite, FAISS and tantivy behind one engine.

A library's folder::

    library.db          source of truth: documents, passages, vectors, token bits (schema.sql)
    published.json      which index files belong together: generation, checksums
    vectors-N.faiss     sentence vectors as of generation N; later ones come from library.db
    words/              tantivy
    lock                the writer's file lock, released by the system when its process ends
    lock.json           process, host and start time of the writer; for display only
    files/              files uploaded through the page or the API
    store-N/            the first four of these, once the library was re-encoded with another model

- Each write increments the library's generation. An index knows its own generation and asks the
  store for the changes since: that covers the first build, updates, a crash between two writes, a
  deleted or damaged index, and a store restored from a backup. ``published.json`` is replaced last,
  atomically. Updates of the lexical index are idempotent, so one that a crash left ahead does no
  harm.
- One writer at a time holds ``lock``. Readers use the last published snapshot and notice a new one
  at the next query.
- A filter becomes a set of passages in one SQL query; both indexes apply it before ranking.
- Each row has a checksum (CRC-32), since SQLite doesn't detect changed content. A document's is
  checked when it is shown, a passage's when it is a hit, the rest by ``rag verify``.
- SQLite's errors are translated into the library's at the cursor (``sqlite.connections``): full,
  gone, damaged and busy are distinguished by SQLite's error code.
- A read-only folder has no room for SQLite's shared memory and tantivy's lock. Its store is opened
  as immutable, unless there is a journal, and reopened when it changes; tantivy gets a folder of
  links (``lexical``). An outdated index is used as it is.
"""
