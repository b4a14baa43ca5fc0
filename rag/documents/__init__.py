"""From a path to Documents: discovery, detection, formats, and the processes that parse.

- Files inside files (archives, mailboxes, attachments) have sources below the file's own,
  ``letters.zip/may.txt``, as if it were a folder.
- A text of more than a million characters becomes several documents (``splitter``,
  :mod:`rag.types.parts`), so that memory, messages and transactions are bounded. It is cut by what
  stands before the cut, so a log that grows keeps its parts. A part begins with the headings above
  it; pages that lie before it are empty in it.
- Whenever loaders or chunking make something else of the same file, raise
  :data:`rag.ingest.staleness.READING`: the file is read again at the next run.
- Office files have no converter: markitdown and python-docx lost text. DOCX, PPTX, OpenDocument and
  EPUB are read from their XML by lxml, with bounds on what is unpacked (``office_zip``).
"""
