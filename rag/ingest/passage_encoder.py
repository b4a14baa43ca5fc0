"""Encode passages, reusing encodings of identical text from the store.

If a document has grown or been edited, or several files hold the same text, only new passages cost
model time. The model runs in its own thread, in parallel with chunking the next documents and
storing the previous ones.
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
from dataclasses import dataclass
from itertools import chain

from rag.index.engine import Reader
from rag.index.records import sentence_spans
from rag.runtime.heartbeat import Beat, no_heartbeat, take
from rag.types import Passage, PassageEncoding
from rag.types.protocols import Embedder

BATCH_PASSAGES, BATCH_SENTENCES = 256, 8192
"""Maximum passages, and sentences in them, in one batch for the model."""

BATCHES_BEGUN = 3
"""Batches whose encodings may be in memory: the one being consumed, and those in the model."""

SECONDS_TO_STOP = 0.5
"""How long to wait for the model to finish its batch when a run is aborted."""

GIVE_WAY = 10
"""How much lower (in nice levels) the priority of the model's thread is than the process's own, so
that queries are answered first and the machine stays responsive."""


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Content hashes of passages, and where their encodings are: ``found`` in the store or taken
    already, in one of the ``earlier`` batches, or ``fresh`` from the model.
    """

    keys: list[bytes]
    found: dict[bytes, PassageEncoding]
    earlier: list[dict[bytes, PassageEncoding]]
    fresh: queue.SimpleQueue[PassageEncoding | BaseException]


class Encoder:
    """Encodes passages and counts them; must be closed.

    ``embedded`` passages went through the model, ``reused`` ones had been encoded before. Not
    thread-safe.
    """

    def __init__(self, embedder: Embedder, reader: Reader, beat: Beat = no_heartbeat) -> None:
        self.embedded = self.reused = 0
        self._embedder = embedder
        self._reader = reader
        self._beat = beat
        self._model = ThreadPoolExecutor(1, "rag-model", initializer=_lower_priority)
        self._latest: Future[None] | None = None
        self._stop = threading.Event()
        self._waiting: deque[Sequence[Passage]] = deque()
        self._begun: deque[_Batch] = deque()

    @property
    def busy(self) -> bool:
        """Whether the model is still at work."""
        return bool(self._waiting) or (self._latest is not None and not self._latest.done())

    def begin(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        """Encode passages in the background, a bounded number ahead of the consumer; yields one
        encoding per passage, in order. Iterators must be consumed completely, in the order in which
        they were created.
        """
        batches = list(_batches(passages))
        self._waiting += batches
        self._begin_waiting()
        return chain.from_iterable(self._take_encodings() for _ in batches)

    def close(self) -> None:
        """Stop the model, with a short wait for the batch in progress."""
        self._stop.set()
        self._model.shutdown(wait=False, cancel_futures=True)
        if self._latest:
            wait([self._latest], SECONDS_TO_STOP)

    def _begin_waiting(self) -> None:
        while self._waiting and len(self._begun) < BATCHES_BEGUN:
            passages = self._waiting.popleft()
            keys = [_content_digest(one) for one in passages]
            # Looked up now: by the time they are consumed, the store may have replaced them.
            known = self._reader.encodings(passages)
            found = {keys[position]: one for position, one in known.items()}
            awaited = found.keys() | {key for one in self._begun for key in one.keys}
            by_key = zip(keys, passages, strict=True)
            new = {key: passage for key, passage in by_key if key not in awaited}
            batch = _Batch(keys, found, [one.found for one in self._begun], queue.SimpleQueue())
            self._begun.append(batch)
            if new:
                self._latest = self._model.submit(self._run, [*new.values()], batch.fresh)

    def _run(
        self, passages: list[Passage], fresh: queue.SimpleQueue[PassageEncoding | BaseException]
    ) -> None:
        """Run the model; called in its thread."""
        try:
            for _, one in zip(passages, self._embedder.passages(passages), strict=True):
                fresh.put(one)
                if self._stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 (it is raised where encodings are taken)
            fresh.put(error)

    def _take_encodings(self) -> Iterator[PassageEncoding]:
        """Yield the encodings of the oldest batch."""
        batch = self._begun[0]
        for position, key in enumerate(batch.keys, 1):
            known = (some[key] for some in (batch.found, *batch.earlier) if key in some)
            if encoding := next(known, None):
                self.reused += 1
            else:
                one = take(batch.fresh, self._beat)
                if isinstance(one, BaseException):
                    raise one
                encoding = one
                self.embedded += 1
            # Includes those of an earlier batch, which may be gone when the next batch starts.
            batch.found[key] = encoding
            if position == len(batch.keys):
                self._begun.popleft()
                self._begin_waiting()
            yield encoding


def _batches(passages: Sequence[Passage]) -> Iterator[Sequence[Passage]]:
    """Split passages into batches of bounded size."""
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
    """A 32-byte hash of a passage's text and sentence boundaries, the input of its encoding."""
    text = passage.text.encode()
    hashed = hashlib.blake2b(f"{len(text)} ".encode(), digest_size=32)
    hashed.update(text)
    hashed.update(sentence_spans(passage, -passage.start).tobytes())
    return hashed.digest()


def _lower_priority() -> None:
    """Lower the priority of this thread and its children, on systems with priorities per thread."""
    if sys.platform == "linux":
        with suppress(OSError):
            mine = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, mine, os.getpriority(os.PRIO_PROCESS, mine) + GIVE_WAY)
