"""Processes of our own that parse files and draw pages, so that a hostile file costs only them.

- Each file has a limit on memory. Files from 8 MiB on are mapped, which the limit leaves out:
  mailboxes, archives and JSON Lines of any size are read in about 200 MB.
- Silence ends the reading of a file, not time: a worker reports after each page, so ten thousand
  pages are read and a parser that hangs is stopped.
- The language of a text is detected by the process that indexes, not here: loading the model would
  cost each worker more than reading a file.
"""
