"""Documents that were taken out a while ago: from which files they can be brought back."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

KEPT = 100
"""How many removals are remembered."""


class Removals:
    """What was removed since the server began, the last ``KEPT`` of it. Any thread may ask."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, tuple[Path, ...]] = OrderedDict()
        self._changing = threading.Lock()

    def remember(self, document_id: str, files: Iterable[Path]) -> None:
        """Keep which files a document was read from; the oldest removal is forgotten for it."""
        with self._changing:
            self._files[document_id] = tuple(files)
            self._files.move_to_end(document_id)
            while len(self._files) > KEPT:
                self._files.popitem(last=False)

    def files(self, document_id: str) -> tuple[Path, ...] | None:
        """The files of a document that was removed; None if it was not, or it is long ago."""
        with self._changing:
            return self._files.get(document_id)
