"""Passages → encodings: from where the same words were encoded before, else by the model.

A document that grew or was edited, a record in a file of records, a text that several files or
several libraries hold: only what is new costs the model's time. The model runs in a thread of its
own, so that it need not wait while the next documents are cut into passages and the last ones are
stored.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from rag.cache import EncodingCache, content_digest
from rag.engine import Reader
from rag.heartbeat import Beat, take, unobserved
from rag.protocols import Embedder
from rag.types import Passage, PassageEncoding

KEPT_TOGETHER = 128
"""Encodings that are put into the cache in one transaction."""

GIVE_WAY = 10
"""How much lower than the process's own the priority of the model is, so that whoever asks
meanwhile is answered first, and the machine stays of use."""

_Found = dict[bytes, PassageEncoding]
_Made = tuple[bytes, PassageEncoding]
_Results = queue.SimpleQueue[_Made | BaseException]


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Passages by the hash of their content, and what is ``found`` of it; ``fresh`` comes from
    the model.
    """

    keys: frozenset[bytes]
    found: _Found
    fresh: _Results


@dataclass(slots=True)
class Encoder:
    """Gives passages their encodings, and counts them; to be closed.

    ``embedded`` went through the model, ``reused`` had been through it before. All methods are for
    one thread.
    """

    embedder: Embedder
    reader: Reader
    cache: EncodingCache | None = None
    beat: Beat = unobserved
    embedded: int = 0
    reused: int = 0

    _model: ThreadPoolExecutor = field(init=False)
    _latest: Future[None] | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _begun: list[_Batch] = field(default_factory=list)
    _made: list[_Made] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._model = ThreadPoolExecutor(1, "rag-model", initializer=_give_way)

    @property
    def busy(self) -> bool:
        """Whether the model is not through yet with what was begun."""
        return self._latest is not None and not self._latest.done()

    def begin(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        """Have passages encoded in the background.

        Returns
        -------
        iterator of PassageEncoding
            One a passage, in the same order, as they come. What was begun first is to be taken
            first, and all of it.
        """
        if not passages:
            return iter(())
        keys = [content_digest(self.embedder.fingerprint, one) for one in passages]
        # Looked up now: as they are taken, the store may replace what they are found in.
        known = self.reader.encodings(passages)
        found = {keys[position]: one for position, one in known.items()}
        batch = _Batch(frozenset(keys), found, queue.SimpleQueue())
        sources = [self._source(key, batch) for key in keys]
        new = {
            key: passage
            for key, passage, source in zip(keys, passages, sources, strict=True)
            if source is found and key not in found
        }
        if self.cache:
            cached = self.cache.known(new)
            found |= cached
            new = {key: passage for key, passage in new.items() if key not in cached}
        self._begun.append(batch)
        if new:
            self._latest = self._model.submit(self._run, new, batch.fresh)
        return self._taken(batch, keys, sources)

    def close(self) -> None:
        """Stop the model, without waiting for the passages that it has in hand.

        What it has done by then and nobody took goes into the cache, for the next time.
        """
        self._stop.set()
        self._model.shutdown(wait=False, cancel_futures=True)
        for batch in self._begun:
            while not batch.fresh.empty():
                one = batch.fresh.get()
                self._made += [] if isinstance(one, BaseException) else [one]
        self._keep()

    def _source(self, key: bytes, batch: _Batch) -> _Found:
        """Where this content's encoding is, or will be."""
        return next((one.found for one in self._begun if key in one.keys), batch.found)

    def _run(self, new: dict[bytes, Passage], fresh: _Results) -> None:
        """Run the model; in its thread."""
        try:
            for one in zip(new, self.embedder.passages(list(new.values())), strict=True):
                fresh.put(one)
                if self._stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 (it is raised where encodings are taken)
            fresh.put(error)

    def _taken(
        self, batch: _Batch, keys: list[bytes], sources: list[_Found]
    ) -> Iterator[PassageEncoding]:
        for position, (key, source) in enumerate(zip(keys, sources, strict=True), 1):
            if key in source:
                self.reused += 1
            else:
                one = take(batch.fresh, self.beat)
                if isinstance(one, BaseException):
                    raise one
                self._made.append(one)
                source[key] = one[1]
                self.embedded += 1
            if position == len(keys):
                self._begun.remove(batch)
            if position == len(keys) or len(self._made) >= KEPT_TOGETHER:
                self._keep()
            yield source[key]

    def _keep(self) -> None:
        if self.cache and self._made:
            self.cache.keep(self._made)
        self._made = []


def _give_way() -> None:
    """Lower this thread's priority, and that of threads it starts, where a thread has its own."""
    if sys.platform == "linux":
        with suppress(OSError):
            mine = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, mine, os.getpriority(os.PRIO_PROCESS, mine) + GIVE_WAY)
