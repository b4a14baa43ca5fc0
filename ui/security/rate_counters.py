"""How often one client may ask, and how often one may try to log in. Both only count and tell."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MOST_CLIENTS = 10_000
"""Clients that are remembered; the one that was silent longest is forgotten for a new one."""


def address(given: str) -> str:
    """An address in the one form that it has in IPv4, or in IPv6; what is none stays as it is."""
    try:
        found = ipaddress.ip_address(given.partition("%")[0])
    except ValueError:
        return given
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def client(given: str) -> str:
    """Who counts as one: an address, or in IPv6 the network of 64 bits that one household has."""
    found = address(given)
    try:
        return str(ipaddress.IPv6Network((found, 64), strict=False))
    except ValueError:  # of IPv4, or no address
        return found


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Rates:
    """A bucket of permissions for each client, which fills again by and by."""

    def __init__(
        self, per_second: float, most: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._most = most
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._changing = threading.Lock()

    def take(self, of: str) -> int:
        """Take one permission; 0 if there was one, else in how many seconds there will be."""
        with self._changing:
            now = self._clock()
            bucket = self._buckets.pop(of, None) or _Bucket(self._most, now)
            self._buckets[of] = bucket
            while len(self._buckets) > MOST_CLIENTS:
                self._buckets.popitem(last=False)
            bucket.left = min(self._most, bucket.left + (now - bucket.at) * self._per_second)
            bucket.at = now
            if bucket.left >= 1.0:
                bucket.left -= 1.0
                return 0
            return max(1, math.ceil((1.0 - bucket.left) / self._per_second))


FREE_TRIES = 5
"""Wrong passwords before a client has to wait."""

FIRST_WAIT = 30.0
"""Seconds; each further wrong password makes the wait twice as long."""

LONGEST_WAIT = 15 * 60.0
"""Seconds. No name is ever locked: whoever knows it could lock its owner out."""

FORGOTTEN_AFTER = 60 * 60.0
"""Seconds without a try, after which a client begins anew."""


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    at: float
    until: float


class Tries:
    """Wrong passwords by client: after some, each makes the next wait twice as long."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._changing = threading.Lock()

    def take(self, of: str) -> int:
        """Begin a try, which counts as a wrong one until :meth:`succeeded`: many at once are many.

        0 if it may be made, else in how many seconds it may.
        """
        with self._changing:
            now = self._clock()
            found = self._failures.get(of)
            if found is None or now - found.at > FORGOTTEN_AFTER:
                found = _Failures(0, now, now)
            if found.until > now:
                return math.ceil(found.until - now)
            count = found.count + 1
            wrong = count - FREE_TRIES
            seconds = min(FIRST_WAIT * 2.0 ** min(wrong, 30), LONGEST_WAIT) if wrong >= 0 else 0.0
            self._failures[of] = _Failures(count, now, now + seconds)
            self._failures.move_to_end(of)
            while len(self._failures) > MOST_CLIENTS:
                self._failures.popitem(last=False)
            return 0

    def succeeded(self, of: str) -> None:
        """Take back the try that was begun: it was none.

        What was wrong before still counts, or whoever has a password of their own could guess at
        somebody else's without end.
        """
        with self._changing:
            found = self._failures.pop(of, None)
            if found is not None and found.count > 1:
                self._failures[of] = _Failures(found.count - 1, found.at, found.at)
