"""Counters for rate limiting and for login throttling. They only count; others act on it."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MOST_CLIENTS = 10_000
"""Clients that are remembered; the least recently active one is evicted."""


def address(given: str) -> str:
    """Normalize an IP address, IPv4-mapped IPv6 included; other text is returned unchanged."""
    try:
        found = ipaddress.ip_address(given.partition("%")[0])
    except ValueError:
        return given
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def client(given: str) -> str:
    """The unit of rate limiting: an IPv4 address or an IPv6 /64, which one household has."""
    found = address(given)
    try:
        return str(ipaddress.IPv6Network((found, 64), strict=False))
    except ValueError:  # IPv4, or not an address
        return found


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Rates:
    """A token bucket for each client."""

    def __init__(
        self, per_second: float, most: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._most = most
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._changing = threading.Lock()

    def take(self, of: str) -> int:
        """Take one token; return 0, or the seconds until one is available."""
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
"""In seconds; each further wrong password doubles the wait."""

LONGEST_WAIT = 15 * 60.0
"""In seconds. Accounts are never locked: anybody who knows the name could lock its owner out."""

FORGOTTEN_AFTER = 60 * 60.0
"""In seconds; after this time without an attempt a client's count is reset."""


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    at: float
    until: float


class Tries:
    """Failed logins by client, with exponential backoff."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._changing = threading.Lock()

    def take(self, of: str) -> int:
        """Begin an attempt, which counts as failed until :meth:`succeeded`, so that concurrent ones
        add up.

        Returns 0 if it may be made, otherwise the seconds to wait.
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
        """Take back the attempt, which did not fail.

        Earlier failures still count; otherwise somebody with an account could guess another's
        password without limit.
        """
        with self._changing:
            found = self._failures.pop(of, None)
            if found is not None and found.count > 1:
                self._failures[of] = _Failures(found.count - 1, found.at, found.at)
