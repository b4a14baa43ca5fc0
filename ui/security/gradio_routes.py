"""An allowlist of Gradio's routes, and validation of the bodies that are posted to them.

Gradio is mounted, not launched, so its own checks are off: given a value that looks like one of its
file objects, it would open, copy or download whatever path or URL it names. So bodies are parsed
here, and Gradio receives one that is serialized again from the validated fields.
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
from ui.security import body_limit, policy

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
    ("GET", "/config"),  # read by gradio_client before anything else, like the next
    ("GET", "/gradio_api/info"),
    ("GET", "/gradio_api/heartbeat/{session_hash}"),
    ("POST", "/gradio_api/queue/join"),
    ("GET", "/gradio_api/queue/data"),
    ("POST", "/gradio_api/call/{api_name}"),
    ("GET", "/gradio_api/call/{api_name}/{event_id}"),
)
"""The open routes, by method and path template. All others are closed, including those of future
versions.
"""

QUERIES = ("/theme.css", "/gradio_api/queue/join", "/gradio_api/queue/data")
"""Routes whose query string is passed on. Elsewhere Gradio would look for pages and links in it."""

LONGEST_FILE = 200
"""Maximum path length of a static file. Gradio fails on names longer than file systems allow."""

TEXT = frozenset({"textbox", "dropdown", "button"})
"""Gradio components whose value is text."""

TEXTS = frozenset({"checkboxgroup"})
"""… and those whose value is a list of texts."""

MOST_TEXTS = 100
"""Maximum length of such a list."""

MOST_SESSIONS = 500
"""Maximum number of sessions whose answers Gradio keeps; beyond it the oldest are dropped."""

MOST_ANSWERS = 20
"""Maximum number of answers per session that are waiting to be collected."""

_ROUTES = tuple((method, compile_path(path)[0]) for method, path in OPEN)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

Name: TypeAlias = Annotated[str, Field(pattern=rf"^{_NAME.pattern}$")]
Text: TypeAlias = Annotated[str, Field(max_length=MAX_QUESTION_LENGTH)]
NotFound: TypeAlias = Callable[[Request, Exception], Awaitable["Response"]]


def restrict(app: ASGIApp, page: Blocks, not_found: NotFound) -> ASGIApp:
    """Wrap Gradio's application to answer only what is open.

    Parameters
    ----------
    page
        The page whose events may be posted.
    not_found
        Responds for closed routes, as for any unknown address.

    Raises
    ------
    TypeError
        If an event of the page takes anything but text, such as a file.
    """
    events, answers = Events(page), Answers(page)

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        path = root_path.within(scope)
        names = _names(scope["method"], path)
        if names is None or not answers.has(scope, names.get("event_id")):
            response = await not_found(Request(scope), HTTPException(HTTPStatus.NOT_FOUND))
            await response(scope, receive, send)
            return
        scope = scope if path in QUERIES else {**scope, "query_string": b""}
        if scope["method"] == "POST":
            try:
                sent = await body_limit.read(scope, receive, policy.MOST_BODY_BYTES)
                event = events.check(sent, names.get("api_name"))
            except (ValueError, problems.Refused):
                line = (
                    f"A question and its filters are plain text of up to {MAX_QUESTION_LENGTH:,} "
                    "characters each; nothing else is accepted"
                )
                refused = problems.refusal(scope, problems.Refused(problems.INVALID, line))
                await refused(scope, receive, send)
                return
            if not answers.make_room(event.session_hash):
                line = "Too many answers are waiting to be collected; collect them first"
                refused = problems.refusal(scope, problems.Refused(problems.TOO_OFTEN, line))
                await refused(scope, receive, send)
                return
            body = event.model_dump_json(exclude_unset=True).encode()
            scope, receive = _replaced(scope, body), body_limit.replay(body, receive)
        await app(scope, receive, send)

    return call


def _names(method: str, path: str) -> dict[str, str] | None:
    """Match an open route; return its path parameters, or None."""
    for open_method, route in _ROUTES:
        match = route.match(path) if method == open_method else None
        if match:
            names = match.groupdict()
            # Gradio itself confines the file's path to its own folder.
            file = names.get("path", "")
            odd = any(not _NAME.fullmatch(one) for key, one in names.items() if key != "path")
            return None if odd or len(file) > LONGEST_FILE else names
    return None


def _replaced(scope: Scope, body: bytes) -> Scope:
    """Replace the body of a request."""
    replaced = {**scope, "headers": list(scope["headers"])}
    headers = MutableHeaders(scope=replaced)
    headers["content-type"] = "application/json"
    headers["content-length"] = str(len(body))
    del headers["transfer-encoding"]
    return replaced


class Call(BaseModel):
    """The body of a call to an event that is named in the path."""

    model_config = ConfigDict(extra="forbid", strict=True)

    data: list[Text | Annotated[list[Text], Field(max_length=MOST_TEXTS)]]
    session_hash: Name | None = None


class QueuedCall(Call):
    """The body that the page posts: the event's number, and what triggered it."""

    session_hash: Name
    fn_index: int
    trigger_id: int | None = None
    event_data: None = None


class Events:
    """A page's events, and the inputs of each: texts, and lists of them."""

    def __init__(self, page: Blocks) -> None:
        self._events = {number: one for number, one in page.fns.items() if one.fn is not None}
        self._by_name = {one.api_name: one for one in self._events.values()}
        inputs = {part.get_block_name() for one in self._events.values() for part in one.inputs}
        if not inputs <= TEXT | TEXTS:
            raise TypeError(f"events may take only text, not {sorted(inputs - TEXT - TEXTS)}")

    def check(self, body: bytes, api_name: str | None = None) -> Call:
        """Parse and validate the body of an event.

        Parameters
        ----------
        body
            JSON in UTF-8.
        api_name
            The event, if the path names it; otherwise the body does.

        Raises
        ------
        ValueError
            If it doesn't match the event's schema.
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
        for value, part in zip(call.data, event.inputs, strict=True):
            if isinstance(value, list) != (part.get_block_name() in TEXTS):
                raise ValueError
        return call


class Answers:
    """The answers that Gradio keeps until they are collected, which it doesn't limit itself."""

    def __init__(self, page: Blocks) -> None:
        self._page = page

    def has(self, scope: Scope, event_id: str | None) -> bool:
        """Whether what a request wants to collect exists; true if it isn't about collecting.

        Gradio would find out after it has started to answer.
        """
        queue = self._page._queue  # noqa: SLF001 (what it keeps is not public)
        if event_id is not None:
            waiting = queue.pending_event_ids_session.values()
            return event_id in queue.event_ids_to_events or any(event_id in one for one in waiting)
        if root_path.within(scope) == "/gradio_api/queue/data":
            session = Request(scope).query_params.get("session_hash")
            return session in queue.pending_messages_per_session
        return True

    def make_room(self, session: str | None) -> bool:
        """Whether one more answer may be kept for a session; drops those of the oldest sessions."""
        queue = self._page._queue  # noqa: SLF001 (see above)
        waiting = queue.pending_event_ids_session
        if session and len(waiting.get(session, ())) >= MOST_ANSWERS:
            return False
        while len(waiting) >= MOST_SESSIONS:
            oldest = next(iter(waiting))
            del waiting[oldest]
            queue.pending_messages_per_session.pop(oldest, None)
        return True


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError
    return fields
