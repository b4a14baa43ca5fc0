"""A server as ``rag serve`` starts it, over a library whose every passage takes a moment."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag import Library
from rag.types import Passage, PassageEncoding
from rag.types.protocols import Embedder
from ui import server
from ui.ops import logs

SECONDS_A_PASSAGE = 0.1


class Slow:
    """An embedder that takes its time."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def __getattr__(self, name: str) -> object:
        return getattr(self._embedder, name)

    def passages(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        """Those of the embedder behind it."""
        for encoding in self._embedder.passages(passages):
            time.sleep(SECONDS_A_PASSAGE)
            yield encoding


def main() -> None:
    """Serve the library in the folder that is named."""
    from hashing_embedder import HashingEmbedder

    logs.to_standard_error()

    def ready(address: str) -> None:
        logging.getLogger("ui.test").info("Ready", extra={"address": address})

    with Library.open(sys.argv[1], embedder=Slow(HashingEmbedder())) as library:
        server.serve(library, port=0, on_ready=ready)


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[1] / "faults"))
    main()
