"""What is stored and searched on this machine: SQLite, FAISS and tantivy behind one engine.

A library's folder::

    library.db          the truth: documents, sources, passages, vectors, token bits (schema.sql)
    published.json      which index files belong together: generation, checksums
    vectors-N.faiss     sentence vectors as of generation N; later ones come from library.db
    words/              tantivy
    lock                held by the writer as a system lock, which ends with its process
    lock.json           which process that is, where, since when; only for people
    files/              what was sent through the page or the API

- Each write raises the library's generation by one. An index knows its own and asks the store for
  the changes since: that covers the first build, updates, a crash between two writes, a deleted or
  damaged index, and a store put back from a backup. ``published.json`` is replaced last, at once.
  An update of the word index may be repeated, so one that a crash left ahead does no harm.
- One writer at a time holds ``lock``. Readers go on with the last published snapshot and notice a
  new one at the next question.
- Filters become a set of passages by one SQL query, which both indexes take before they rank.
- Each row has a checksum (CRC-32), since SQLite doesn't notice a changed letter. A document's is
  checked when it is shown, a passage's when it is a hit, the rest by ``rag verify``.
- SQLite's errors become the library's where the cursor is (``sqlite.connections``): full, gone,
  damaged and busy are told apart by SQLite's own code.
- A folder that can't be written has no room for SQLite's shared memory and tantivy's lock. Its
  store is opened as immutable, unless there is a journal, and again once it changes; tantivy gets a
  folder of links (``lexical_files``). An index that is behind answers as it is.
"""
