"""Who has logged in: random numbers that browsers keep in a cookie, known to this process alone."""

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
"""How long a session lasts: a working day, and then some."""

MOST = 10_000
"""Sessions at a time; the oldest ends for a new one."""


@dataclass(frozen=True, slots=True)
class _Session:
    visitor: Visitor
    ends: float


class Sessions:
    """The sessions of one server, which end with it. Any thread may ask.

    Only a hash of each number is kept, so that finding one takes as long whatever is right of it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()
        self._changing = threading.Lock()
        # Cookies don't tell ports apart: two servers of one machine have two names.
        self.cookie = f"rag-{secrets.token_hex(4)}"

    def begin(self, visitor: Visitor) -> str:
        """A new session; the number for the cookie."""
        number = secrets.token_urlsafe(32)
        with self._changing:
            self._sessions[_key(number)] = _Session(visitor, self._clock() + SECONDS)
            while len(self._sessions) > MOST:
                self._sessions.popitem(last=False)
        return number

    def find(self, number: str) -> Visitor | None:
        """Whose session it is, if it is one and goes on."""
        with self._changing:
            found = self._sessions.get(_key(number))
            if found is None:
                return None
            if found.ends <= self._clock():
                del self._sessions[_key(number)]
                return None
            return found.visitor

    def end(self, number: str) -> None:
        """End a session; what is none stays none."""
        with self._changing:
            self._sessions.pop(_key(number), None)


def _key(number: str) -> bytes:
    return hashlib.sha256(number.encode(errors="surrogatepass")).digest()
