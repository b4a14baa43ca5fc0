"""Semantic question answering over your own documents.

>>> from rag import Library, retrieve

:func:`retrieve` asks the default library; :class:`Library` opens any other, and indexes.
"""

import lazy_loader

# What is exported is listed in __init__.pyi, and imported when it is first used: a process that
# only reads files or asks one question starts in a fraction of the time.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
