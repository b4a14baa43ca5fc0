"""Indexing: from discovered files to a published index.

- Each document is committed on its own; its file is recorded afterwards, with size, modification
  time and digest. A crash in between costs reading the file again, never embedding it again. A file
  that could not be read is recorded as well, and retried when it changes or
  :data:`~rag.ingest.run_state.READING` is raised.
- A passage's encoding depends only on its text and sentence boundaries, so it is first looked up in
  the store by hash: editing a document costs only the passages that changed.
- The model runs in its own thread: while it encodes a batch, the next one is read and chunked, and
  the previous one committed, in order.
- Queries take precedence: the model's thread runs at 10 levels lower priority than the process, and
  Python's thread switch interval is half a millisecond (:mod:`rag.runtime.threads`).
- Reading a file again loses nothing: of an unchanged file, documents that can't be read any more
  stay, and OCR is used again where it was used before.
"""
