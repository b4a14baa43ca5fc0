"""Semantic question answering over your own documents.

>>> from rag import Library, retrieve

:func:`retrieve` asks the default library; :class:`Library` opens any other, and indexes.

One word for one thing:

=================  ================================================================================
document           one text with its title, date and metadata; its id is the hash of its content
source             where a document was found: a file, or a place in one, like ``a.zip/b.txt``
collection         a named part of a library: all documents with a source in some folders
part               a stretch of a very long document, stored by itself, one document to the reader
passage            what is found: whole sentences of a document, up to the model's window
query              what is asked, with the filters that were parsed out of it
filter             conditions on documents: date, source, title, language, metadata, collection
candidate          a passage that an index proposes, with its dense and its lexical score
dense score        cosine of the query and the passage's nearest sentence
lexical score      BM25, as a share of its upper bound for this query
late interaction   MaxSim of the query's token vectors and the passage's 1-bit token vectors
hit                a passage in the result, with the answering sentence marked
confidence         probability that the documents answer the query, by the library's calibration
synthetic query    made from a sentence of the library; an out-of-domain query from none of it
segment, delta     the vectors as last written, and what was added since; tombstones were removed
generation         number of a committed change; a snapshot is everything as of one of them
failure            why a file, or a place in it, could not be read
engine             what stores and searches: a folder, or tables in object storage
=================  ================================================================================
"""

import lazy_loader

# What is exported is listed in __init__.pyi, and imported when it is first used: a process that
# only reads files or asks one question starts in a fraction of the time.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
