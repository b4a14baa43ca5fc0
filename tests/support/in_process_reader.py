"""Files read in the process of the test: quick, where the sandbox isn't the subject."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from pathlib import Path

from rag.documents.read_options import ReadOptions
from rag.documents.registry import load
from rag.documents.sandbox.processes import document_from_json, document_to_json
from rag.documents.sandbox.reader import ReadFile, ReadProgress
from rag.errors import LoadError
from rag.runtime.heartbeat import Beat, no_heartbeat
from rag.text.language import with_language
from rag.types import Document, Failure


def read(
    paths: Sequence[Path],
    *,
    options: ReadOptions = ReadOptions(),  # noqa: B008 (it is frozen)
    workers: int | None = None,  # noqa: ARG001 (there are none)
    beat: Beat = no_heartbeat,
) -> Generator[tuple[Path, Document] | ReadFile | ReadProgress]:
    """The same as :func:`rag.documents.sandbox.reader.read`, except for parsers that crash."""
    for path in paths:
        beat()
        began = time.monotonic()
        failures: list[Failure] = []
        try:
            found = list(load(path, options=options))
        except OSError as error:
            found = [Failure(str(path), f"it can't be read: {error.strerror or error}")]
        except LoadError as error:
            found = [Failure(str(path), str(error), error.kind)]
        for one in found:
            if isinstance(one, Failure):
                failures.append(one)
            else:
                yield path, with_language(document_from_json(document_to_json(one)))
        yield ReadFile(path, tuple(failures), time.monotonic() - began)
