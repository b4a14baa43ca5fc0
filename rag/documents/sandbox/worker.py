"""The process that reads files and draws pages, so that a file that hangs, crashes or exhausts
memory harms nothing else.

Started by :class:`rag.documents.sandbox.processes.Worker`; a parent sends one kind of request::

    ← {"ready": true}          once, before the first request

    → {"path": …, "options": {…}}    a file to read, and with what
    ← {"alive": steps}         progress, in pages or other steps; once a second at most
    ← {"document": {…}}        one of those in the file
    ← {"failure": [source, reason, kind]}
    ← {"done": true, "spent": …}    that was all of the file; whether to start another process now

    → {"path": …, "digest": …, "page": …, "width": …}     a picture of a page
    ← {"png": …, "width": …, "height": …}          in base 64
    → {"path": …, "digest": …, "page": …, "sought": […]}  or boxes on it
    ← {"boxes": [[x, y, width, height], …]}
    ← {"failure": reason} or {"impossible": reason}    the file's fault, or the request's
"""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from rag.documents.registry import ReadOptions, load
from rag.documents.sandbox.processes import document_to_json, receive, send
from rag.errors import InputError, LoadError, PasswordRequired
from rag.runtime import airgap
from rag.runtime.files import open_file
from rag.types import Failure

if sys.platform == "linux":
    import fcntl
    import resource
if TYPE_CHECKING:
    from rag.documents.pdf.file import Pdf

MEMORY_BYTES = 2 << 30
"""Memory limit for a file and a rendered page of it, in bytes."""

SECONDS_BETWEEN_SIGNS = 1.0
"""Minimum interval between progress messages."""

_SPENT = 0.5
"""Share of the memory limit that may still be in use after a file; above it the process is
replaced."""

_CHANGED = "it is no longer the file that was indexed; index it again"
_NO_PDF = "only the pages of PDFs can be shown as they are printed; read its text instead"
_LOCKED = (
    "this PDF is protected by a password, and passwords are not stored: "
    "open the file itself to see its pages"
)


def main() -> None:
    """Serve requests until standard input closes."""
    # NumPy is imported later, and OpenBLAS would take tens of megabytes per core.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    requests, answers = worker_streams()
    own = memory_in_use()
    send(answers, {"ready": True})
    with _LastPdf() as last:
        while request := receive(requests):
            if "options" in request:
                send(answers, _read(request, own, answers))
            else:
                limit_memory(own + MEMORY_BYTES)
                send(answers, _draw(request, last))


def _read(request: dict[str, Any], own: int, answers: BinaryIO) -> dict[str, Any]:
    """Send what is in a file; the returned message is the last one about it."""
    path, options = Path(request["path"]), ReadOptions(**request["options"])
    limit_memory(own + options.max_document)
    try:
        for one in load(path, options=options, on_page=_sign_of_life(answers)):
            if isinstance(one, Failure):
                send(answers, {"failure": astuple(one)})
            else:
                send(answers, {"document": document_to_json(one)})
    except Exception as error:  # noqa: BLE001 (a parser's own error must not stop the run)
        reason = _reason(error, "its parser failed", options.too_large)
        kind = error.kind if isinstance(error, LoadError) else LoadError.kind
        send(answers, {"failure": [str(path), reason, kind]})
    # The heap never shrinks; the next file should find it empty.
    return {"done": True, "spent": memory_in_use() - own > options.max_document * _SPENT}


def _sign_of_life(answers: BinaryIO) -> Callable[[], None]:
    """Return a callback for progress, which sends a message unless it just did."""
    last, steps = time.monotonic(), 0

    def on_page() -> None:
        nonlocal last, steps
        steps += 1
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_SIGNS:
            last = now
            send(answers, {"alive": steps})

    return on_page


def _draw(request: dict[str, Any], last: _LastPdf) -> dict[str, Any]:
    """A picture of a page, or boxes on it."""
    from rag.documents.pdf.rendering import PageText, locate, page_image

    try:
        pdf = last.open(Path(request["path"]), request["digest"])
        if "sought" in request:
            boxes = locate(pdf, request["page"], PageText(*request["sought"]))
            return {"boxes": [astuple(box) for box in boxes]}
        image = page_image(pdf, request["page"], request["width"])
    except InputError as error:
        return {"impossible": str(error)}
    except Exception as error:  # noqa: BLE001 (a parser's own error must not end the process)
        too_large = "drawing it takes too much memory; open the file itself"
        return {"failure": _reason(error, "its page can't be drawn", too_large)}
    return asdict(image) | {"png": base64.b64encode(image.png).decode()}


def _reason(error: Exception, failed: str, too_large: str) -> str:
    match error:
        case LoadError():
            return str(error)
        case OSError():
            return f"it can't be read: {error.strerror or error}"
        case MemoryError():
            return too_large
        case RecursionError():
            return "it is nested too deeply"
    return f"{failed} ({type(error).__name__}: {str(error)[:200]})"


class _LastPdf(ExitStack):
    """The last PDF of which a page was wanted, kept open."""

    pdf: Pdf = None
    key: tuple[object, ...] = ()

    def open(self, path: Path, digest: str) -> Pdf:
        """The PDF at ``path``, whose content must have this SHA-256.

        Raises LoadError if the content differs, or is not a PDF, damaged or protected, and OSError
        if it can't be read.
        """
        from rag.documents.pdf.file import find_header, open_pdf

        facts = path.stat()
        key = (path, digest, facts.st_mtime_ns, facts.st_size)
        if key == self.key:
            return self.pdf
        self.pdf, self.key = None, ()
        self.close()
        with open_file(path) as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != digest:
            raise LoadError(_CHANGED)
        if find_header(content) < 0:
            raise LoadError(_NO_PDF)
        try:
            self.pdf = self.enter_context(open_pdf(content))
        except PasswordRequired as error:
            raise LoadError(_LOCKED) from error
        self.key = key
        return self.pdf


def worker_streams() -> tuple[BinaryIO, BinaryIO]:
    """The streams for requests and responses; nothing else can use them from now on."""
    airgap.close_if_requested()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    _end_with_parent(os.dup(sys.stderr.fileno()))
    # Parsers sometimes print; their output must not mix with the responses.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    return sys.stdin.buffer, answers


def _end_with_parent(lifeline: int) -> None:
    """Kill this process and its children once the other end of the lifeline is closed.

    A thread waits for that. A parser that never releases the GIL would block it, so on Linux the
    kernel is asked to send a signal; unlike ``PR_SET_PDEATHSIG``, which is tied to the thread that
    started the process, this is tied to the parent process and reaches grandchildren.
    """
    if not stat.S_ISFIFO(os.fstat(lifeline).st_mode):  # started by hand, say
        return

    def wait() -> None:
        with suppress(OSError):
            os.read(lifeline, 1)
            if sys.platform != "win32":
                os.killpg(0, signal.SIGKILL)
            os._exit(1)

    if sys.platform == "linux":
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def memory_in_use() -> int:
    """Bytes that count towards :func:`limit_memory` now; 0 if the system doesn't say."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()


def limit_memory(most: int) -> None:
    """Limit the memory of this process, and of each child, to ``most`` bytes, on Linux; may be
    called repeatedly. Beyond the limit, allocations fail. Memory-mapped files don't count.
    """
    if sys.platform == "linux":
        with suppress(ValueError, OSError):  # a lower limit is set already
            hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
            resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


if __name__ == "__main__":
    main()
