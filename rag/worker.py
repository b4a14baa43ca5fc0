"""The process in which files are read: a parser that hangs, crashes or eats memory costs only it.

Started by :mod:`rag.reading` as ``python -m rag.worker``. Messages are JSON with their length in
front, on standard input and output::

    → {"path": …, "ocr": …, "passwords": […]}    a file to read, and the means to
    ← {"ready": true}          once, before the first file
    ← {"alive": true}          it goes on: after a page, once a second at most
    ← {"document": {…}}        one of those in the file
    ← {"failure": [source, reason]}
    ← {"done": true}           that was all of the file

Never pickles: what a hostile file makes a parser say stays data.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import signal
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from rag.errors import LoadError
from rag.language import code, language
from rag.loaders import Means, load
from rag.types import Document, Failure, Heading, Span

LENGTH = struct.Struct(">Q")
MEMORY_BYTES = 3 << 30
"""Memory that reading one file may take, where the system can limit it; mapped files are none."""

SECONDS_BETWEEN_SIGNS = 1.0
"""Signs of life are no more frequent than this."""


def send(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Write one message."""
    content = json.dumps(message).encode()
    stream.write(LENGTH.pack(len(content)) + content)
    stream.flush()


def receive(stream: BinaryIO) -> dict[str, Any] | None:
    """Read one message; None when the other side is gone."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    content = stream.read(length)
    if len(content) < length:
        return None
    message: dict[str, Any] = json.loads(content)
    return message


def document_to_json(document: Document) -> dict[str, Any]:
    """A document as plain values."""
    return {
        "id": document.id,
        "source": document.source,
        "title": document.title,
        "text": document.text,
        "digest": document.digest,
        "date": document.date.isoformat() if document.date else None,
        "metadata": dict(document.metadata),
        "headings": [[one.span.start, one.span.end, one.level] for one in document.headings],
        "pages": [[one.start, one.end] for one in document.pages],
        "page_labels": list(document.page_labels),
        "warnings": list(document.warnings),
    }


def document_from_json(values: dict[str, Any]) -> Document:
    """The document again; every span is checked on the way."""
    return Document(
        id=values["id"],
        source=values["source"],
        title=values["title"],
        text=values["text"],
        digest=values["digest"],
        date=dt.date.fromisoformat(values["date"]) if values["date"] else None,
        metadata=values["metadata"],
        headings=tuple(Heading(Span(a, b), level) for a, b, level in values["headings"]),
        pages=tuple(Span(a, b) for a, b in values["pages"]),
        page_labels=tuple(values["page_labels"]),
        warnings=tuple(values["warnings"]),
    )


def main() -> None:
    """Read files until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asked
    requests = sys.stdin.buffer
    # Parsers print at times; what they print must not mix with the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    _limit_memory()
    send(answers, {"ready": True})
    on_page = _sign_of_life(answers)
    while request := receive(requests):
        path = Path(request["path"])
        means = Means(request["ocr"], tuple(request["passwords"]))
        try:
            for one in load(path, means=means, on_page=on_page):
                if isinstance(one, Failure):
                    send(answers, {"failure": [one.source, one.reason]})
                else:
                    send(answers, {"document": document_to_json(_with_language(one))})
        except (LoadError, OSError) as error:
            send(answers, {"failure": [str(path), _reason(error)]})
        except MemoryError:
            send(answers, {"failure": [str(path), "reading it takes too much memory"]})
        except RecursionError:
            send(answers, {"failure": [str(path), "it is nested too deeply"]})
        except Exception as error:  # noqa: BLE001 (a parser's own error must not stop the run)
            reason = f"its parser failed ({type(error).__name__}: {str(error)[:200]})"
            send(answers, {"failure": [str(path), reason]})
        send(answers, {"done": True})


def _sign_of_life(answers: BinaryIO) -> Callable[[], None]:
    """What to call whenever the work has gone on: it says so, if it did not just before."""
    last = time.monotonic()

    def tell() -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_SIGNS:
            last = now
            send(answers, {"alive": True})

    return tell


def _with_language(document: Document) -> Document:
    """The document with its language as a code: the one it names, or else the one it shows."""
    said = dict(document.metadata)
    named = code(said.get("language", ""))
    found = named or language(document.text)
    if found:
        origin = said.get("language_from", "file") if named else "document"
        said |= {"language": found, "language_from": origin}
    return replace(document, metadata=said)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"it can't be read: {error.strerror or error}"
    return str(error)


def _limit_memory() -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows has none, macOS no such limit
        import resource

        # The whole address space would count files that are mapped, too.
        kind = resource.RLIMIT_DATA if _all_is_data() else resource.RLIMIT_AS
        resource.setrlimit(kind, (MEMORY_BYTES, MEMORY_BYTES))


def _all_is_data() -> bool:
    """Whether all that a process allocates counts as its data, as it does on Linux since 4.7."""
    version = [int(number) for number in re.findall(r"\d+", os.uname().release)[:2]]
    return sys.platform == "linux" and version >= [4, 7]


if __name__ == "__main__":
    main()
