"""Several libraries in one server: a page that lists them, and each library under
``/libraries/NAME/``.

A library is opened at its first request; its application is the same one that it would have alone.
This module dispatches requests, and closes a library before renaming it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from rag import LibraryNotFound, RagError
from ui import server
from ui.api.libraries import Busy
from ui.libraries import libraries_page
from ui.libraries import library_strings as told
from ui.libraries.libraries_routes import create_front
from ui.libraries.mounted_library import Opened
from ui.ops import lifecycle, metrics, public_errors, request_log, root_path
from ui.ops.metrics import Metrics, Reading
from ui.security import origin
from ui.security.access import Access, decided

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from rag import Shelf

PREFIX = "/libraries/"

_log = logging.getLogger(__name__)


class Libraries:
    """The service for a shelf; implements :class:`ui.ops.lifecycle.Service`."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._opened: dict[str, Opened] = {}
        self._renamed: dict[str, str] = {}
        self._changing = asyncio.Lock()
        self.metrics = Metrics(self._readings)
        front = create_front(shelf, self.rename)
        metrics.add_routes(front, self.metrics)
        self._front = request_log.routed(front)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an ASGI request."""
        path = root_path.within(scope)
        if not path.startswith(PREFIX):
            await self._front(scope, receive, send)
            return
        name, slash, rest = path.removeprefix(PREFIX).partition("/")
        root = root_path.root(scope)
        here = f"{root}{PREFIX[1:]}{quote(name, safe='')}"
        if not slash:
            await RedirectResponse(f"{here}/")(scope, receive, send)
            return
        try:
            opened = await self._open(name)
        except RagError as error:
            await self._trouble(Request(scope), name, error, root)(scope, receive, send)
            return
        below = {**scope, "path": f"{here}/{rest}", "root_path": here}
        await opened(below, receive, send)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start what all libraries share; close all libraries at exit."""
        await asyncio.to_thread(server.import_gradio)
        try:
            yield
        finally:
            await asyncio.gather(*(one.close() for one in self._opened.values()))

    def stop(self) -> None:
        """Cancel the background work."""
        for one in self._opened.values():
            one.stop()

    def close(self) -> None:
        """Close all libraries that are still open."""
        for one in self._opened.values():
            one.end()

    async def rename(self, name: str, to: str) -> str:
        """Close a library and rename it, as :meth:`rag.Shelf.rename` does.

        Raises
        ------
        Busy
            If documents are being indexed in it.
        LibraryNotFound, InputError, NameTaken, LibraryBusy, LibraryError
            As :meth:`rag.Shelf.rename`.
        """
        async with self._changing:
            opened = self._opened.get(name)
            if opened is not None:
                if not opened.is_idle:
                    raise Busy(told.BUSY.format(name=name))
                # Check first, to avoid closing the library for nothing.
                await asyncio.to_thread(self._shelf.free, to)
                await opened.close()
            try:
                now = await asyncio.to_thread(self._shelf.rename, name, to)
            finally:
                self._opened.pop(name, None)
            if now != name:
                self._renamed[name] = now
            return now

    def _readings(self) -> Iterator[Reading]:
        """Iterate over the state of each open library."""
        for opened in tuple(self._opened.values()):
            yield opened.reading()

    async def _open(self, name: str) -> Opened:
        """Return the library's application, opening the library if necessary.

        Raises
        ------
        LibraryNotFound, LibraryError, ModelError
            As :meth:`rag.Shelf.open`.
        """
        opened = self._opened.get(name)
        if opened is not None:
            return opened
        async with self._changing:
            if name not in self._opened:  # another request may have opened it meanwhile
                library = await asyncio.to_thread(self._shelf.open, name)
                self._opened[name] = Opened(library, name)
            return self._opened[name]

    def _trouble(self, request: Request, name: str, error: RagError, root: str) -> Response:
        """Explain why a library is unavailable: a page for browsers, a line for programs."""
        if isinstance(error, LibraryNotFound) and self._shelf.folder.is_dir():
            status, to = HTTPStatus.NOT_FOUND, self._renamed.get(name, "")
            line = (told.RENAMED if to else told.NO_SUCH).format(name=name, to=to)
            page = libraries_page.missing(name, to, root)
        else:
            _log.error("The library “%s” can't be opened: %s", name, error)
            status, reason = HTTPStatus.SERVICE_UNAVAILABLE, public_errors.public_message(error)
            line = told.CANT_OPEN.format(reason=reason)
            page = libraries_page.trouble(name, reason, root)
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse({"detail": line}, status)
        return HTMLResponse(page, status, origin.STILL)


def serve(
    shelf: Shelf,
    host: str = "127.0.0.1",
    port: int = 7860,
    on_ready: Callable[[str], None] | None = None,
    on_starting: Callable[[str], None] | None = None,
    *,
    access: Access | None = None,
) -> None:
    """Serve the libraries of a shelf at ``host:port``, as :func:`ui.server.serve` does for one."""
    allowed = access or decided(host)
    lifecycle.answer(
        Libraries(shelf), allowed, host, port, on_ready=on_ready, on_starting=on_starting
    )
