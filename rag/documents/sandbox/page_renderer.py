"""Worker process that renders PDF pages, so that a file that hangs or crashes it harms nothing
else.

Started by :mod:`rag.documents.sandbox.page_viewer` as ``python -m
rag.documents.sandbox.page_renderer``. Message framing is that of
:mod:`rag.documents.sandbox.processes`::

    → {"path": …, "digest": …, "page": …, "width": …}     a picture, please
    → {"path": …, "digest": …, "page": …, "sought": […]}  or boxes
    ← {"ready": true}                              once, before the first request
    ← {"png": …, "width": …, "height": …}          the picture, in base 64
    ← {"boxes": [[x, y, width, height], …]}
    ← {"failure": reason} or {"impossible": reason}    the file's fault, or the request's

The last file stays open.
"""

from __future__ import annotations

import base64
import hashlib
from contextlib import ExitStack
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

from rag.documents.pdf.file import PROTECTED, Pdf, open_pdf
from rag.documents.pdf.rendering import locate, page_image
from rag.documents.pdf.text_alignment import TextPattern
from rag.documents.sandbox.processes import (
    limit_memory,
    memory_in_use,
    receive,
    send,
    worker_streams,
)
from rag.errors import InputError, LoadError, PasswordRequired
from rag.runtime.files import open_file

MEMORY_BYTES = 2 << 30
"""Memory limit for the file and its rendering, in bytes, where the system supports limits."""

CHANGED = "it is no longer the file that was indexed; index it again"
_NO_PDF = "only the pages of PDFs can be shown as they are printed; read its text instead"
_LOCKED = f"{PROTECTED}, and passwords are not stored: open the file itself to see its pages"
_BEGINNING = 1024


def main() -> None:
    """Serve requests until standard input closes."""
    requests, answers = worker_streams()
    limit_memory(memory_in_use() + MEMORY_BYTES)
    send(answers, {"ready": True})
    files = _Files()
    while request := receive(requests):
        try:
            answer = _answer(files, request)
        except InputError as error:
            answer = {"impossible": str(error)}
        except (LoadError, OSError) as error:
            answer = {"failure": _reason(error)}
        except MemoryError:
            answer = {"failure": "drawing it takes too much memory; open the file itself"}
        except Exception as error:  # noqa: BLE001 (a parser's own error must not end it)
            reason = f"its page can't be drawn ({type(error).__name__}: {str(error)[:200]})"
            answer = {"failure": reason}
        send(answers, answer)
    files.close()


@dataclass(slots=True)
class _Files:
    """Keeps the last requested file open, identified by path, file status and digest."""

    _pdf: Pdf = None
    _key: tuple[object, ...] = ()
    _stack: ExitStack = field(default_factory=ExitStack)

    def pdf(self, path: Path, digest: str) -> Pdf:
        """The PDF at ``path``, whose content must have this SHA-256.

        Raises LoadError if the content differs, or is not a PDF, damaged or protected, and OSError
        if it can't be read.
        """
        state = path.stat()
        key = (path, digest, state.st_mtime_ns, state.st_size)
        if key != self._key:
            self.close()
            with open_file(path) as file:
                content = file.read()
            if hashlib.sha256(content).hexdigest() != digest:
                raise LoadError(CHANGED)
            if b"%PDF-" not in content[:_BEGINNING]:
                raise LoadError(_NO_PDF)
            self._pdf = self._stack.enter_context(open_pdf(content))
            self._pdf.init_forms()  # so that filled-in form fields are drawn
            self._key = key
        return self._pdf

    def close(self) -> None:
        """Close the file."""
        self._pdf, self._key = None, ()
        self._stack.close()


def _answer(files: _Files, request: dict[str, Any]) -> dict[str, Any]:
    pdf = files.pdf(Path(request["path"]), request["digest"])
    if "sought" in request:
        boxes = locate(pdf, request["page"], TextPattern(*request["sought"]))
        return {"boxes": [astuple(box) for box in boxes]}
    image = page_image(pdf, request["page"], request["width"])
    png = base64.b64encode(image.png).decode()
    return {"png": png, "width": image.width, "height": image.height}


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"it can't be read: {error.strerror or 'unknown error'}"
    return _LOCKED if isinstance(error, PasswordRequired) else str(error)


if __name__ == "__main__":
    main()
