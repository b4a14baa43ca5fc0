"""What texts were encoded to, whatever library they are in: one SQLite file of the user's.

A library that is deleted and made anew, a second one of the same articles, a large document whose
indexing was interrupted: the model has been through those words, and need not again. Nothing
depends on the cache. Where it can't be used, indexing goes on without it and says so; where it is
damaged, it is made anew.
"""

from rag.cache.encodings import EncodingCache
from rag.cache.file import clear
from rag.cache.limit import CacheStatus, limit, status
from rag.cache.packing import content_digest

__all__ = ["CacheStatus", "EncodingCache", "clear", "content_digest", "limit", "status"]
