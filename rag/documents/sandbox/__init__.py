"""Sandboxed parsing and rendering: a hostile file can crash only its worker process.

- Each file has a memory limit. Files from 8 MiB are memory-mapped, which doesn't count towards it:
  mailboxes, archives and JSON Lines of any size are read in about 200 MB.
- Reading a file is stopped for silence, not for total time: a worker reports after each page, so
  ten thousand pages are read, and a parser that hangs is stopped.
- Language detection runs in the indexing process, not here: loading its model would cost each
  worker more than reading a file.
"""
