"""Worker process for parsers, so that one that hangs, crashes or exhausts memory harms nothing
else.

Started by :mod:`rag.documents.sandbox.reader` as ``python -m rag.documents.sandbox.parser``.
Message framing is that of :mod:`rag.documents.sandbox.processes`::

    → {"path": …, "options": {…}}    a file to read, and with what
    ← {"ready": true}          once, before the first file
    ← {"alive": steps}         progress, in pages or other steps; once a second at most
    ← {"document": {…}}        one of those in the file
    ← {"failure": [source, reason, kind]}
    ← {"done": true, "spent": …}    that was all of the file; whether to start another process now
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any, BinaryIO

from rag.documents.registry import ReadOptions, load
from rag.documents.sandbox.processes import (
    limit_memory,
    memory_in_use,
    receive,
    send,
    worker_streams,
)
from rag.errors import LoadError
from rag.types import Document, Failure, Heading, Span

_SPENT = 0.5
"""Share of the memory limit that may still be in use after a file; above it the worker is
replaced."""

SECONDS_BETWEEN_SIGNS = 1.0
"""Minimum interval between progress messages."""


def document_to_json(document: Document) -> dict[str, Any]:
    """Serialise a document to plain values."""
    return asdict(document) | {"date": document.date.isoformat() if document.date else None}


def document_from_json(values: dict[str, Any]) -> Document:
    """Deserialise a document; every span is validated."""
    restored = {
        "date": dt.date.fromisoformat(values["date"]) if values["date"] else None,
        "headings": tuple(Heading(Span(**h["span"]), h["level"]) for h in values["headings"]),
        "pages": tuple(Span(**page) for page in values["pages"]),
        "page_labels": tuple(values["page_labels"]),
        "warnings": tuple(values["warnings"]),
    }
    return Document(**values | restored)


def main() -> None:
    """Read files until standard input closes."""
    # NumPy is imported later, and OpenBLAS would take tens of megabytes per core.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    requests, answers = worker_streams()
    own = memory_in_use()
    send(answers, {"ready": True})
    while request := receive(requests):
        on_page = _sign_of_life(answers)
        path = Path(request["path"])
        options = ReadOptions(**request["options"])
        limit_memory(own + options.max_document)
        try:
            for one in load(path, options=options, on_page=on_page):
                if isinstance(one, Failure):
                    send(answers, {"failure": astuple(one)})
                else:
                    send(answers, {"document": document_to_json(one)})
        except LoadError as error:
            send(answers, {"failure": [str(path), str(error), error.kind]})
        except OSError as error:
            reason = f"it can't be read: {error.strerror or error}"
            send(answers, {"failure": [str(path), reason]})
        except MemoryError:
            send(answers, {"failure": [str(path), options.too_large]})
        except RecursionError:
            send(answers, {"failure": [str(path), "it is nested too deeply"]})
        except Exception as error:  # noqa: BLE001 (a parser's own error must not stop the run)
            reason = f"its parser failed ({type(error).__name__}: {str(error)[:200]})"
            send(answers, {"failure": [str(path), reason]})
        # The heap never shrinks; the next file should find it empty.
        spent = memory_in_use() - own > options.max_document * _SPENT
        send(answers, {"done": True, "spent": spent})


def _sign_of_life(answers: BinaryIO) -> Callable[[], None]:
    """Return a callback for progress, which sends a message unless it just did."""
    last, steps = time.monotonic(), 0

    def tell() -> None:
        nonlocal last, steps
        steps += 1
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_SIGNS:
            last = now
            send(answers, {"alive": steps})

    return tell


if __name__ == "__main__":
    main()
