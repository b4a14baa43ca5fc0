"""How much is asked: of one client, and of the server. What is too much is refused at once, with
when to come again, instead of being kept waiting.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ui.api import problems
from ui.ops import root_path
from ui.ops.request_log import WATCHED
from ui.security import messages as told
from ui.security.body_limit import FILES
from ui.security.error_response import refusal
from ui.security.rate_counters import Rates, client

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PER_SECOND, BURST = 100.0, 1000.0
"""Requests of one client: a page is some sixty of them, and goes on asking for what it shows."""

AT_ONCE = 64
"""Requests that are being answered; more would only wait for each other."""

AT_ONCE_EACH = 32
"""Of these, those of one client."""

OPEN = 500
"""Streams that pages keep open, two of each, and files on their way here."""

OPEN_EACH = 100

WATCHING, WATCHING_EACH = 16, 8
"""Requests for how the server is: when it is full, that is what it says, or whoever watches over
it takes it for dead and starts it anew.
"""

_STREAMS = ("/gradio_api/heartbeat/", "/gradio_api/queue/data", "/gradio_api/call/", FILES)


@dataclass(frozen=True, slots=True)
class _Lane:
    """Requests of one kind: how often one client may ask, how many are ``most`` answered at once,
    and how many of ``each`` client.
    """

    rates: Rates
    most: int
    each: int
    running: Counter[str] = field(default_factory=Counter)


class Rationed:
    """An application that is asked no more than it can answer."""

    def __init__(self, app: ASGIApp, rates: Rates | None = None) -> None:
        self._app = app
        rates = rates or Rates(PER_SECOND, BURST)
        self._asking = _Lane(rates, AT_ONCE, AT_ONCE_EACH)
        self._streaming = _Lane(rates, OPEN, OPEN_EACH)
        self._watching = _Lane(Rates(PER_SECOND, BURST), WATCHING, WATCHING_EACH)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        peer = scope.get("client")
        of = client(peer[0] if peer else "")
        lane = self._lane(root_path.within(scope))
        running = lane.running
        seconds = lane.rates.take(of)
        if seconds or running[of] >= lane.each:
            seconds = seconds or 1
            refused = refusal(
                scope,
                problems.TOO_OFTEN,
                told.TOO_OFTEN.format(seconds=seconds),
                {"retry-after": str(seconds)},
            )
            await refused(scope, receive, send)
            return
        if running.total() >= lane.most:
            refused = refusal(scope, problems.OVERLOADED, told.OVERLOADED, {"retry-after": "1"})
            await refused(scope, receive, send)
            return
        running[of] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            running[of] -= 1
            if not running[of]:
                del running[of]

    def _lane(self, path: str) -> _Lane:
        if path in WATCHED:
            return self._watching
        streams = any(one in path for one in _STREAMS)
        return self._streaming if streams else self._asking
