"""Texts and questions as strings: Unicode, languages, sentences, passages, words and queries.

- Documents, questions and filters are brought into NFC where they come in (``unicode``), and
  nowhere else, so that offsets count what a reader of the text sees. File names stay as the system
  has them and are compared in NFC.
- A passage is broken towards 160 tokens. The headings above it lead it: they are searched, but are
  no answer.
- Stems follow the document's language, all in one field, so that names match across languages; a
  question is analysed for every language that the library holds.
"""
