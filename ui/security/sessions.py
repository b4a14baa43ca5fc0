"""Login sessions: random ids in a cookie, kept in this process's memory only."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ui.security.principal import Visitor

SECONDS = 12 * 60 * 60
"""Lifetime of a session: a working day and some more."""

MOST = 10_000
"""Maximum number of sessions; the oldest is ended for a new one."""


@dataclass(frozen=True, slots=True)
class _Session:
    visitor: Visitor
    ends: float


class Sessions:
    """The sessions of one server. Thread-safe.

    Only a hash of each id is kept, so that the time of a lookup reveals nothing about it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()
        self._changing = threading.Lock()
        # Cookies ignore ports, so two servers on one machine need different names.
        self.cookie = f"rag-{secrets.token_hex(4)}"

    def begin(self, visitor: Visitor) -> str:
        """Begin a session; returns the id for the cookie."""
        number = secrets.token_urlsafe(32)
        with self._changing:
            self._sessions[_key(number)] = _Session(visitor, self._clock() + SECONDS)
            while len(self._sessions) > MOST:
                self._sessions.popitem(last=False)
        return number

    def find(self, number: str) -> Visitor | None:
        """The session's principal; None if it is unknown or expired."""
        with self._changing:
            found = self._sessions.get(_key(number))
            if found is None:
                return None
            if found.ends <= self._clock():
                del self._sessions[_key(number)]
                return None
            return found.visitor

    def end(self, number: str) -> None:
        """End a session if it exists."""
        with self._changing:
            self._sessions.pop(_key(number), None)


def _key(number: str) -> bytes:
    return hashlib.sha256(number.encode(errors="surrogatepass")).digest()
