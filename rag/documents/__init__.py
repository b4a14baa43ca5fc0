"""Load Documents from files: discovery, format detection, loaders, and sandboxed parsing.

- Documents inside files (archives, mailboxes, attachments) get source paths below the container's,
  ``letters.zip/may.txt``, as if it were a folder.
- A text of more than a million characters is split into several documents (``splitter``,
  :mod:`rag.types.parts`), which bounds memory, messages and transactions. Where it is cut depends
  only on the text before the cut, so a growing log keeps its parts. Each part begins with the
  headings above it; pages of earlier parts are empty in it.
- Whenever loaders or chunking change what is made of a file, raise
  :data:`rag.ingest.run_state.READING`: files are then read again at the next run.
- Office files are not converted: markitdown and python-docx lost text. DOCX, PPTX, OpenDocument and
  EPUB are parsed from their XML with lxml, with limits on decompressed size (``office_zip``).
"""
