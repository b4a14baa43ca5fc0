"""One run from discovered files to a published index.

- Each document is committed on its own; its file is recorded afterwards, with size, time and
  digest. A crash in between costs reading the file again, never embedding it again. A file that
  could not be read is remembered, and tried again when it changes or
  :data:`~rag.ingest.staleness.READING` rises.
- A passage's encoding depends on its words and sentences alone, so the store is asked for them by a
  hash first: an edited document costs the passages that changed.
- The model runs in a thread of its own: while it encodes a batch, the next is read and cut, and the
  last is committed, in order.
- Questions come first: the model's thread runs 10 steps of priority below the process, and Python's
  threads take turns of half a millisecond (:mod:`rag.runtime.threads`).
- Reading again loses nothing: of an unchanged file, what can't be read now stays, and what was read
  by OCR is read by OCR.
"""
