"""Rate limits and concurrency limits, per client and for the server, and the waits after wrong
passwords. Excess requests are refused at once with ``Retry-After`` rather than queued.

All of it runs on the server's event loop, so there are no locks.
"""

from __future__ import annotations

import contextlib
import ipaddress
import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from starlette.types import Scope

from ui import strings
from ui.api import problems
from ui.ops import root_path
from ui.ops.request_log import WATCHED
from ui.security import policy
from ui.security.body_limit import FILES

_STREAMS = ("/gradio_api/heartbeat/", "/gradio_api/queue/data", "/gradio_api/call/", FILES)

Clock = Callable[[], float]
K = TypeVar("K")
V = TypeVar("V")


class Recent(OrderedDict[K, V]):
    """A dict of at most ``most`` items; the one that was set first is dropped for a new one."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)


def normalize_address(address: str) -> str:
    """Normalize an IP address, IPv4-mapped IPv6 included; other text is returned unchanged."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(getattr(found, "ipv4_mapped", None) or found)


def client_key(scope: Scope) -> str:
    """The client of a request: an IPv4 address or an IPv6 /64, which one household has."""
    address = normalize_address((scope.get("client") or ("",))[0])
    try:
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    except ValueError:  # IPv4, or not an address
        return address


class TokenBuckets:
    """A token bucket for each client, of ``burst`` tokens, refilled ``per_second``."""

    def __init__(self, per_second: float, burst: float, clock: Clock = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: Recent[str, tuple[float, float]] = Recent(policy.MOST_CLIENTS)

    def take(self, client: str) -> int:
        """Take one token; return 0, or the seconds until one is available."""
        now = self._clock()
        left, then = self._buckets.get(client, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._per_second)
        enough = left >= 1.0
        self._buckets[client] = (left - 1.0 if enough else left, now)
        return 0 if enough else max(1, math.ceil((1.0 - left) / self._per_second))


@dataclass(frozen=True, slots=True)
class _Lane:
    """The limits for one kind of request, and how many of each client are running."""

    buckets: TokenBuckets
    most: policy.Concurrency
    running: Counter[str] = field(default_factory=Counter)


class RateLimit:
    """The limits of one server."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        buckets, others = (
            TokenBuckets(policy.REQUESTS_PER_SECOND, policy.BURST, clock) for _ in range(2)
        )
        self._requests = _Lane(buckets, policy.REQUESTS)
        self._streams = _Lane(buckets, policy.STREAMS)
        self._probes = _Lane(others, policy.PROBES)

    @contextlib.contextmanager
    def slot(self, scope: Scope) -> Iterator[None]:
        """Count a request as running.

        Raises
        ------
        Refused
            If its client sends too many, or the server has too many running.
        """
        client, lane = client_key(scope), self._lane(root_path.within(scope))
        running = lane.running
        seconds = lane.buckets.take(client) or int(running[client] >= lane.most.per_client)
        if seconds:
            raise problems.Refused(
                problems.TOO_OFTEN,
                f"Too many requests in a short time; try again in {seconds} s",
                {"retry-after": str(seconds)},
            )
        if running.total() >= lane.most.total:
            raise problems.Refused(problems.OVERLOADED, strings.OVERLOADED, {"retry-after": "1"})
        running[client] += 1
        try:
            yield
        finally:
            running[client] -= 1
            if not running[client]:
                del running[client]

    def _lane(self, path: str) -> _Lane:
        if path in WATCHED:
            return self._probes
        return self._streams if path.startswith(_STREAMS) else self._requests


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    at: float
    until: float


class Backoff:
    """Failed logins by client, after which the next attempt has to wait, exponentially longer."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._failures: Recent[str, _Failures] = Recent(policy.MOST_CLIENTS)

    def attempt(self, client: str) -> int:
        """Begin an attempt, which counts as failed until :meth:`succeeded`, so that concurrent ones
        add up.

        Returns 0 if it may be made, otherwise the seconds to wait.
        """
        now = self._clock()
        found = self._failures.get(client)
        if found is None or now - found.at > policy.ATTEMPTS_FORGOTTEN_AFTER:
            found = _Failures(0, now, now)
        if found.until > now:
            return math.ceil(found.until - now)
        count = found.count + 1
        extra = count - policy.FREE_ATTEMPTS
        wait = min(policy.FIRST_WAIT * 2.0 ** min(extra, 30), policy.LONGEST_WAIT)
        self._failures[client] = _Failures(count, now, now + (wait if extra >= 0 else 0.0))
        return 0

    def succeeded(self, client: str) -> None:
        """Take back the attempt, which did not fail.

        Earlier failures still count; otherwise somebody with an account could guess another's
        password without limit.
        """
        found = self._failures.pop(client, None)
        if found is not None and found.count > 1:
            self._failures[client] = _Failures(found.count - 1, found.at, found.at)
