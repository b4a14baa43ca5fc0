"""How much is asked: of one client, and of the server. What is too much is refused at once, with
when to come again, instead of being kept waiting.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ui import gate_words as told
from ui import prefix
from ui.api import problems
from ui.bodies import FILES
from ui.rates import Rates, client
from ui.refusing import refusal

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

_STREAMS = ("/gradio_api/heartbeat/", "/gradio_api/queue/data", "/gradio_api/call/", FILES)


class Rationed:
    """An application that is asked no more than it can answer."""

    def __init__(self, app: ASGIApp, rates: Rates | None = None) -> None:
        self._app = app
        self._rates = rates or Rates(PER_SECOND, BURST)
        self._answering: Counter[str] = Counter()
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        peer = scope.get("client")
        of = client(peer[0] if peer else "")
        seconds = self._rates.take(of)
        streams = any(one in prefix.within(scope) for one in _STREAMS)
        running = self._open if streams else self._answering
        most, most_each = (OPEN, OPEN_EACH) if streams else (AT_ONCE, AT_ONCE_EACH)
        if seconds or running[of] >= most_each:
            seconds = seconds or 1
            refused = refusal(
                scope,
                problems.TOO_OFTEN,
                told.TOO_OFTEN.format(seconds=seconds),
                {"retry-after": str(seconds)},
            )
            await refused(scope, receive, send)
            return
        if running.total() >= most:
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
