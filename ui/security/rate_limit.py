"""Rate limits and concurrency limits, per client and for the server. Excess requests are refused at
once with ``Retry-After`` rather than queued.
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
"""Requests per second of one client, and burst: a page takes some sixty, plus those for what it
shows.
"""

AT_ONCE = 64
"""Requests handled concurrently; more would only wait for each other."""

AT_ONCE_EACH = 32
"""The same, per client."""

OPEN = 500
"""Concurrent streams, two per open page, and uploads."""

OPEN_EACH = 100

WATCHING, WATCHING_EACH = 16, 8
"""Concurrent health checks and metrics requests. They have a lane of their own: a busy server must
still report that it is alive, or a supervisor restarts it.
"""

_STREAMS = ("/gradio_api/heartbeat/", "/gradio_api/queue/data", "/gradio_api/call/", FILES)


@dataclass(frozen=True, slots=True)
class _Lane:
    """Limits for one kind of request: rate per client, and concurrency in total (``most``) and per
    client (``each``).
    """

    rates: Rates
    most: int
    each: int
    running: Counter[str] = field(default_factory=Counter)


class Rationed:
    """Middleware that enforces the limits."""

    def __init__(self, app: ASGIApp, rates: Rates | None = None) -> None:
        self._app = app
        rates = rates or Rates(PER_SECOND, BURST)
        self._asking = _Lane(rates, AT_ONCE, AT_ONCE_EACH)
        self._streaming = _Lane(rates, OPEN, OPEN_EACH)
        self._watching = _Lane(Rates(PER_SECOND, BURST), WATCHING, WATCHING_EACH)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an ASGI request."""
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
