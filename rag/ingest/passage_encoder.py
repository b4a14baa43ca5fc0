"""Passages → encodings: from where the same words were encoded before, else by the model.

A document that grew or was edited, a record in a file of records, a text that several files hold:
only what is new costs the model's time. The model runs in a thread of its
own, so that it need not wait while the next documents are cut into passages and the last ones are
stored.
"""

from __future__ import annotations

import hashlib
import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain

from rag.index.engine import Reader
from rag.index.sqlite import sentence_spans
from rag.runtime.heartbeat import Beat, take, unobserved
from rag.types import Passage, PassageEncoding
from rag.types.protocols import Embedder

BATCH_PASSAGES, BATCH_SENTENCES = 256, 8192
"""Most passages, and sentences in them, that are handed to the model at a time."""

BATCHES_BEGUN = 3
"""Batches whose encodings may be in memory: one that is taken, and those that the model is at."""

SECONDS_TO_STOP = 0.5
"""How long the model may take over the passages in hand when a run is broken off."""

GIVE_WAY = 10
"""How much lower than the process's own the priority of the model is, so that whoever asks
meanwhile is answered first, and the machine stays of use."""

_Found = dict[bytes, PassageEncoding]
_Made = tuple[bytes, PassageEncoding]
_Results = queue.SimpleQueue[_Made | BaseException]


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Passages by the hash of their content, each with ``sources`` of its encoding: what is
    ``found`` of this batch, or of an earlier one. ``fresh`` comes from the model.
    """

    sources: list[tuple[bytes, _Found]]
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
    beat: Beat = unobserved
    embedded: int = 0
    reused: int = 0

    _model: ThreadPoolExecutor = field(init=False)
    _latest: Future[None] | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _waiting: deque[Sequence[Passage]] = field(default_factory=deque)
    _begun: deque[_Batch] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._model = ThreadPoolExecutor(1, "rag-model", initializer=_give_way)

    @property
    def busy(self) -> bool:
        """Whether the model is not through yet with what was begun."""
        return bool(self._waiting) or (self._latest is not None and not self._latest.done())

    def begin(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        """Have passages encoded in the background, a bounded number ahead of what is taken.

        Returns
        -------
        iterator of PassageEncoding
            One a passage, in the same order, as they come. What was begun first is to be taken
            first, and all of it.
        """
        batches = list(_batches(passages))
        self._waiting += batches
        self._begin_waiting()
        return chain.from_iterable(self._taken() for _ in batches)

    def _begin_waiting(self) -> None:
        while self._waiting and len(self._begun) < BATCHES_BEGUN:
            self._begin(self._waiting.popleft())

    def _begin(self, passages: Sequence[Passage]) -> None:
        keys = [_content_digest(one) for one in passages]
        # Looked up now: as they are taken, the store may replace what they are found in.
        known = self.reader.encodings(passages)
        found = {keys[position]: one for position, one in known.items()}
        new = {
            key: passage
            for key, passage in zip(keys, passages, strict=True)
            if key not in found and not any(key in one.keys for one in self._begun)
        }
        earlier = [one for one in self._begun if not one.keys.isdisjoint(keys)]
        sources = [
            (
                key,
                found
                if key in found
                else next((one.found for one in earlier if key in one.keys), found),
            )
            for key in keys
        ]
        batch = _Batch(sources, frozenset(keys), found, queue.SimpleQueue())
        self._begun.append(batch)
        if new:
            self._latest = self._model.submit(self._run, new, batch.fresh)

    def close(self) -> None:
        """Stop the model, without waiting long for the passages that it has in hand."""
        self._stop.set()
        self._model.shutdown(wait=False, cancel_futures=True)
        if self._latest:
            wait([self._latest], SECONDS_TO_STOP)

    def _run(self, new: dict[bytes, Passage], fresh: _Results) -> None:
        """Run the model; in its thread."""
        try:
            for one in zip(new, self.embedder.passages(list(new.values())), strict=True):
                fresh.put(one)
                if self._stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 (it is raised where encodings are taken)
            fresh.put(error)

    def _taken(self) -> Iterator[PassageEncoding]:
        """Take the encodings of the first batch that was begun."""
        batch = self._begun[0]
        for position, (key, source) in enumerate(batch.sources, 1):
            if key in source:
                encoding = source[key]
                self.reused += 1
            else:
                one = take(batch.fresh, self.beat)
                if isinstance(one, BaseException):
                    raise one
                encoding = one[1]
                self.embedded += 1
            # Also what an earlier batch had: this one may be the earliest when the next begins.
            batch.found[key] = encoding
            if position == len(batch.sources):
                self._begun.popleft()
                self._begin_waiting()
            yield encoding


def _batches(passages: Sequence[Passage]) -> Iterator[Sequence[Passage]]:
    """The passages in runs that are not too large."""
    first = sentences = 0
    for position, passage in enumerate(passages):
        sentences += len(passage.sentences)
        full = position - first == BATCH_PASSAGES or sentences > BATCH_SENTENCES
        if full and position > first:
            yield passages[first:position]
            first, sentences = position, len(passage.sentences)
    if passages:
        yield passages[first:]


def _content_digest(passage: Passage) -> bytes:
    """32 bytes that stand for what an encoding depends on beside the model: words and sentences."""
    text = passage.text.encode()
    hashed = hashlib.blake2b(f"{len(text)} ".encode(), digest_size=32)
    hashed.update(text)
    hashed.update(sentence_spans(passage, -passage.start).tobytes())
    return hashed.digest()


def _give_way() -> None:
    """Lower this thread's priority, and that of threads it starts, where a thread has its own."""
    if sys.platform == "linux":
        with suppress(OSError):
            mine = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, mine, os.getpriority(os.PRIO_PROCESS, mine) + GIVE_WAY)
