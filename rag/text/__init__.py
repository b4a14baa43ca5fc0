"""Text processing: Unicode, language, sentences, chunking, stemming and query parsing.

- Documents, queries and filters are normalized to NFC on input (``unicode``), and nowhere else, so
  that offsets count the characters that a reader sees. File names stay as the system has them and
  are compared in NFC.
- Chunking aims at 160 tokens per passage. The headings above a passage are part of it: they are
  searched, but never returned as the answer.
- Stemming follows the document's language, with all languages in one field, so that names match
  across languages; a query is analysed for every language in the library.
"""
