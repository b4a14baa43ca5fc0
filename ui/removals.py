"""Recently removed documents and the files from which they can be restored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

KEPT = 100
"""Removals that are remembered."""


class Removals:
    """The last ``KEPT`` removals since the server started. Thread-safe."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, tuple[Path, ...]] = OrderedDict()
        self._changing = threading.Lock()

    def remember(self, document_id: str, files: Iterable[Path]) -> None:
        """Remember the files of a removed document, evicting the oldest removal if necessary."""
        with self._changing:
            self._files[document_id] = tuple(files)
            self._files.move_to_end(document_id)
            while len(self._files) > KEPT:
                self._files.popitem(last=False)

    def files(self, document_id: str) -> tuple[Path, ...] | None:
        """The files of a removed document; None if it was not removed or was forgotten."""
        with self._changing:
            return self._files.get(document_id)
