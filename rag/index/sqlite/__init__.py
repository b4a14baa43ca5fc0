"""The store of documents, passages and encodings. The only package that imports SQLite.

The store is a library's source of truth. Each document is written, with all of its passages and
encodings, in one transaction that increments the generation; a crash leaves all of it or nothing.
Indexes ask for the additions and deletions since their own generation.

Vectors are stored as float16, which halves their size and changes no cosine by more than 0.0001.
"""
