"""The routes of the page on how good the library is, and of the neighbours of a passage."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from fastapi.responses import HTMLResponse, StreamingResponse

from rag import DocumentNotFound
from ui import guard, insight, neighbourhood, reader, troubles
from ui.insight import Known

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rag import Library, PassageMap

HEADERS = guard.STILL | {"cache-control": "no-store"}

_log = logging.getLogger(__name__)


class Maps:
    """The map of a library, drawn when it is asked for and the library has changed since."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._drawing = threading.Lock()
        self._drawn: tuple[int, PassageMap] | None = None

    def current(self) -> PassageMap:
        """The map of the library as it is now. It may take seconds; who asks meanwhile waits for
        the same one.
        """
        with self._drawing:
            generation = self._library.status().generation
            if self._drawn is None or self._drawn[0] != generation:
                self._drawn = generation, self._library.map()
            return self._drawn[1]


def add_routes(app: FastAPI, library: Library, name: str = "") -> None:
    """Let people see how good the library is, and what its passages are about."""
    maps = Maps(library)

    @app.get("/insight")
    async def seen() -> StreamingResponse:
        known = await asyncio.to_thread(_known, library)
        begins, ends = insight.page(known, name)
        return StreamingResponse(
            _in_parts(begins, maps if known.passages else None, ends),
            media_type="text/html",
            headers=HEADERS,
        )

    @app.get("/insight/passages/{passage_id}")
    def neighbours(passage_id: str) -> HTMLResponse:
        try:
            passage = library.passage(passage_id)
            document = library.document(passage.document_id)
            found = library.neighbours(passage_id)
        except DocumentNotFound:
            return HTMLResponse(reader.missing("../../"), status_code=404, headers=HEADERS)
        page = neighbourhood.page(passage, document.title, document.source, found)
        return HTMLResponse(page, headers=HEADERS)


async def _in_parts(begins: str, maps: Maps | None, ends: str) -> AsyncIterator[str]:
    """The page as it comes: what is known at once, then the map when it is drawn.

    So the page needs no script, and doesn't load itself again under the eyes of its reader.
    """
    yield begins
    if maps is not None:
        yield await asyncio.to_thread(_map, maps)
    yield ends


def _map(maps: Maps) -> str:
    try:
        return insight.map_part(maps.current())
    except Exception as error:  # noqa: BLE001 (the page has begun: only a line can say it now)
        _log.exception("The map could not be drawn.")
        return insight.no_map(troubles.told(error))


def _known(library: Library) -> Known:
    status = library.status()
    return Known(
        documents=status.documents,
        passages=status.passages,
        calibration=library.calibration(),
        reliability=library.reliability(),
        sought=library.last_check(),
        dates=library.dates(),
    )
