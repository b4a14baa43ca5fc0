"""The only way to Gradio: a short list of its routes, and bodies in the shape of the page's events.

Gradio is mounted, not launched, so its own checks are off: of a value that looks like one of its
files it would open, copy or download whatever path or address it names. So a body is parsed here
first, and what Gradio gets is written again from what was found to be in order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import compile_path

from rag import MAX_QUESTION_LENGTH
from ui.api import problems
from ui.ops import root_path
from ui.security import body_limit, messages
from ui.security.error_response import refusal

if TYPE_CHECKING:
    from gradio import Blocks
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

OPEN = (
    ("GET", "/"),
    ("HEAD", "/"),
    ("GET", "/theme.css"),
    ("GET", "/static/{path:path}"),
    ("GET", "/assets/{path:path}"),
    ("GET", "/svelte/{path:path}"),
    ("GET", "/config"),  # gradio_client reads this and the next before it asks anything
    ("GET", "/gradio_api/info"),
    ("GET", "/gradio_api/heartbeat/{session_hash}"),
    ("POST", "/gradio_api/queue/join"),
    ("GET", "/gradio_api/queue/data"),
    ("POST", "/gradio_api/call/{api_name}"),
    ("GET", "/gradio_api/call/{api_name}/{event_id}"),
)
"""Gradio's routes that answer, by method and path as Gradio declares them. All others are closed,
those of later versions too."""

QUERIES = ("/theme.css", "/gradio_api/queue/join", "/gradio_api/queue/data")
"""Those whose query string Gradio gets. Elsewhere it would look for pages and links in it."""

LONGEST_FILE = 200
"""Characters of the path of a static file. Gradio fails where no disk can have such a name."""

TEXT = frozenset({"textbox", "dropdown", "button"})
"""Gradio's components whose value is a text."""

_ROUTES = tuple((method, compile_path(path)[0]) for method, path in OPEN)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

Name: TypeAlias = Annotated[str, Field(pattern=rf"^{_NAME.pattern}$")]
Text: TypeAlias = Annotated[str, Field(max_length=MAX_QUESTION_LENGTH)]
NotFound: TypeAlias = Callable[[Request, Exception], Awaitable["Response"]]


def guarded(app: ASGIApp, page: Blocks, not_found: NotFound) -> ASGIApp:
    """Put the guard before Gradio's application.

    Parameters
    ----------
    page
        Whose events may be posted.
    not_found
        Answers where a route is closed, as for any address that doesn't exist.

    Raises
    ------
    TypeError
        If an event of the page takes anything but text; a file, say.
    """
    events = Events(page)

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        path = root_path.within(scope)
        names = _names(scope["method"], path)
        if names is None:
            response = await not_found(Request(scope), HTTPException(HTTPStatus.NOT_FOUND))
            await response(scope, receive, send)
            return
        scope = scope if path in QUERIES else {**scope, "query_string": b""}
        if scope["method"] == "POST":
            try:
                body = events.check(
                    await body_limit.read(scope, receive, body_limit.MOST_BYTES),
                    names.get("api_name"),
                )
            except (ValueError, body_limit.TooLarge):
                refused = refusal(
                    scope, problems.INVALID, messages.NO_EVENT.format(most=MAX_QUESTION_LENGTH)
                )
                await refused(scope, receive, send)
                return
            scope, receive = _replaced(scope, body), body_limit.given(body, receive)
        await app(scope, receive, send)

    return call


def _names(method: str, path: str) -> dict[str, str] | None:
    """The names in the path of an open route; None if it is not one."""
    for open_method, route in _ROUTES:
        match = route.match(path) if method == open_method else None
        if match:
            names = match.groupdict()
            # The path of a file is Gradio's own to check; it stays below its own folder.
            file = names.get("path", "")
            odd = any(not _NAME.fullmatch(one) for key, one in names.items() if key != "path")
            return None if odd or len(file) > LONGEST_FILE else names
    return None


def _replaced(scope: Scope, body: bytes) -> Scope:
    """The request with another body."""
    replaced = {**scope, "headers": list(scope["headers"])}
    headers = MutableHeaders(scope=replaced)
    headers["content-type"] = "application/json"
    headers["content-length"] = str(len(body))
    del headers["transfer-encoding"]
    return replaced


class Call(BaseModel):
    """What a program posts to an event that it names in the path."""

    model_config = ConfigDict(extra="forbid", strict=True)

    data: list[Text]
    session_hash: Name | None = None


class QueuedCall(Call):
    """What the page posts: the event by its number, and what triggered it."""

    session_hash: Name
    fn_index: int
    trigger_id: int | None = None
    event_data: None = None


class Events:
    """The events of a page, and what may be posted to each: as many texts as it has inputs."""

    def __init__(self, page: Blocks) -> None:
        self._events = {number: one for number, one in page.fns.items() if one.fn is not None}
        self._by_name = {one.api_name: one for one in self._events.values()}
        inputs = {part.get_block_name() for one in self._events.values() for part in one.inputs}
        if not inputs <= TEXT:
            raise TypeError(f"the page's events may take only text, not {sorted(inputs - TEXT)}")

    def check(self, body: bytes, api_name: str | None = None) -> bytes:
        """The body of a posted event, written again from its fields.

        Parameters
        ----------
        body
            JSON in UTF-8, as it was sent.
        api_name
            The event, where the path names it; otherwise the body does.

        Raises
        ------
        ValueError
            If it doesn't have the shape of that event.
        """
        try:
            sent = json.loads(body.decode(), object_pairs_hook=_unique)
        except RecursionError as error:
            raise ValueError from error
        if api_name is None:
            call: Call = (queued := QueuedCall.model_validate(sent))
            event = self._events.get(queued.fn_index)
            triggers = {None, *(trigger for trigger, _ in event.targets)} if event else set()
            known = queued.trigger_id in triggers
        else:
            call, event = Call.model_validate(sent), self._by_name.get(api_name)
            known = event is not None
        if event is None or not known or len(call.data) != len(event.inputs):
            raise ValueError
        return call.model_dump_json(exclude_unset=True).encode()


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError
    return fields
