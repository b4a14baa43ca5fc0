"""The processing steps on each machine. Does not import Ray."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from rag.cluster.lance.opener import opened
from rag.cluster.ray import object_storage
from rag.cluster.ray.messages import Cut, Digested, End, Held, Job, Listed, Looked, Parcel, Written
from rag.documents.sandbox.reader import Alive, ReadFile, read
from rag.ingest.passage_encoder import Encoder
from rag.ingest.run import dated
from rag.ingest.staleness import is_just_so
from rag.runtime.files import is_url
from rag.text.chunking import passages
from rag.types import Document, Failure

PASSAGES_TOGETHER = 512
"""Passages per parcel, unless one document has more. A parcel is one commit; the model batches it
further by tokens."""


def digested(files: Iterable[Listed]) -> list[Digested]:
    """Compute the digests of files."""
    found = []
    for file in files:
        with TemporaryDirectory() as folder, ExitStack() as copies:
            try:
                content = _content(file.name, Path(folder), copies)
                found.append(Digested(file, _digest(content)))
            except OSError as error:
                found.append(Digested(file, None, _reason(error)))
    return found


def reading(files: Sequence[Looked], job: Job) -> Iterator[Parcel]:
    """Read files and split their documents into passages, in parcels."""
    gathered = _Gathered()
    for means in dict.fromkeys(one.means for one in files):
        with TemporaryDirectory() as folder, ExitStack() as copies:
            alike = [one for one in files if one.means == means]
            there: dict[Path, tuple[Looked, str]] = {}
            for position, one in enumerate(alike):
                mine = Path(folder) / str(position)
                mine.mkdir()
                try:
                    content = _content(one.file.name, mine, copies)
                    there[content] = one, _digest(content)
                except OSError as error:
                    failure = Failure(one.file.name, _reason(error))
                    gathered.ends.append(End(one, None, 0, (failure,), 0.0))
            yield from _read(there, replace(job, means=means), gathered)
    yield gathered.parcel()


class Embedding:
    """Encodes the passages that the library lacks."""

    def __init__(self, job: Job) -> None:
        self._job = job
        engine, self._embedder = opened(
            job.library, create=False, model=None, dimensions=None, embedder=job.model.embedder()
        )
        self._reader = engine.reader
        self._encoder = Encoder(self._embedder, self._reader)

    def __call__(self, parcel: Parcel) -> Parcel:
        """Add encodings to a parcel, except for documents already in the library."""
        asked = {one.document.id for one in parcel.documents if not one.of.again}
        # Documents written by another run meanwhile are not excluded: their encodings are found
        # below.
        there = self._reader.whole(sorted(asked & self._job.known))
        new = [one for one in parcel.documents if not self._is_there(one, there)]
        before = self._encoder.embedded, self._encoder.reused
        made = self._encoder.begin([passage for one in new for passage in one.passages])
        encoded = {id(one): tuple(islice(made, len(one.passages))) for one in new}
        return replace(
            parcel,
            documents=tuple(
                replace(one, encodings=encoded[id(one)], replaces=one.of.again)
                if id(one) in encoded
                else one
                for one in parcel.documents
            ),
            embedded=self._encoder.embedded - before[0],
            reused=self._encoder.reused - before[1],
        )

    def _is_there(self, one: Cut, there: frozenset[str]) -> bool:
        if one.of.again:
            return is_just_so(one.document, one.passages, self._reader)
        return one.document.id in there


class Writing:
    """Commits parcels. Commits are idempotent, as after losing a machine they may be repeated."""

    def __init__(self, job: Job) -> None:
        engine, _ = opened(
            job.library, create=False, model=None, dimensions=None, embedder=job.model.embedder()
        )
        self._writer = engine.writer

    def __call__(self, parcel: Parcel) -> Written:
        """Commit a whole parcel."""
        for one in parcel.documents:
            if one.encodings is None:
                self._writer.point([one.source])
            else:
                self._writer.put(one.document, one.source, one.passages, one.encodings)
        self._writer.flush()
        return Written(
            held=tuple(Held(one.source, one.replaces) for one in parcel.documents),
            ends=parcel.ends,
            passages=sum(len(one.passages) for one in parcel.documents),
            embedded=parcel.embedded,
            reused=parcel.reused,
        )


class _Gathered:
    """Collects documents until there are enough for a parcel."""

    def __init__(self) -> None:
        self.documents: list[Cut] = []
        self.ends: list[End] = []
        self._passages = 0

    def add(self, one: Cut) -> Iterator[Parcel]:
        """Add a document; yields a parcel if it is full."""
        self.documents.append(one)
        self._passages += len(one.passages)
        if self._passages >= PASSAGES_TOGETHER:
            yield self.parcel()

    def parcel(self) -> Parcel:
        """Take everything collected as a parcel."""
        found = Parcel(tuple(self.documents), tuple(self.ends))
        self.documents, self.ends, self._passages = [], [], 0
        return found


def _read(there: dict[Path, tuple[Looked, str]], job: Job, gathered: _Gathered) -> Iterator[Parcel]:
    """Read local files one after the other, as on a single machine."""
    counts = dict.fromkeys(there, 0)
    for result in read(list(there), means=job.means, workers=1):
        if isinstance(result, Alive):
            continue
        if isinstance(result, ReadFile):
            looked, digest = there[result.path]
            failures = tuple(
                replace(one, source=_renamed(one.source, result.path, looked))
                for one in result.failures
            )
            end = End(looked, digest, counts[result.path], failures, result.seconds)
            gathered.ends.append(end)
            continue
        path, document = result
        looked, _ = there[path]
        counts[path] += 1
        yield from gathered.add(_cut(document, path, looked, job))


def _cut(document: Document, path: Path, looked: Looked, job: Job) -> Cut:
    renamed = replace(document, source=_renamed(document.source, path, looked))
    whole = dated(renamed, looked.file.modified_ns)
    return Cut(whole, passages(whole, job.model.embedder()), looked)


def _renamed(source: str, copy: Path, looked: Looked) -> str:
    """Map a source in the copy of a file to the original."""
    return looked.file.name + source.removeprefix(str(copy))


def _content(name: str, folder: Path, copies: ExitStack) -> Path:
    return (
        copies.enter_context(object_storage.fetched(name, folder)) if is_url(name) else Path(name)
    )


def _digest(content: Path) -> str:
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reason(error: OSError) -> str:
    return f"it can't be read: {error.strerror or error}"
