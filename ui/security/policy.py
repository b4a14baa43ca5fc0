"""The policy of a server: who gets in, under which host names, and how much they may ask.

All its numbers are here; the other modules enforce it. Who gets in is decided before the server
starts. On loopback everybody may do everything. A server that others can reach, directly or
through a reverse proxy, needs accounts, or ``--insecure``, with which anybody may read and nobody
can change anything; with neither it does not start.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from rag import InputError

if TYPE_CHECKING:
    from starlette.types import Scope

    from ui.security.accounts import Accounts

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Host names of the loopback interface."""

# ---- logins ----

SHORTEST_PASSWORD = 12
"""In characters. Length is what counts (NIST SP 800-63B), so there are no other requirements."""

LONGEST_PASSWORD = 1000
LONGEST_NAME = 64

SESSION_SECONDS = 12 * 60 * 60
"""Lifetime of a session: a working day and some more."""

MOST_SESSIONS = 10_000
"""The oldest is ended for a new one."""

PASSWORD_CHECKS = 2
"""Concurrent password checks: each uses 64 MiB and up to four cores for a moment."""

WAITING_PASSWORD_CHECKS = 20
"""Further ones get 503."""

FREE_ATTEMPTS = 5
"""Wrong passwords before a client has to wait."""

FIRST_WAIT = 30.0
"""In seconds; each further wrong password doubles the wait."""

LONGEST_WAIT = 15 * 60.0
"""In seconds. Accounts are never locked: anybody who knows the name could lock its owner out."""

ATTEMPTS_FORGOTTEN_AFTER = 60 * 60.0
"""In seconds; after this time without an attempt a client's count is reset."""

# ---- requests ----


@dataclass(frozen=True, slots=True)
class Concurrency:
    """The most requests that are handled at the same time, in total and for one client."""

    total: int
    per_client: int


MOST_CLIENTS = 10_000
"""Clients that are remembered; the one that has been quiet for longest is forgotten."""

REQUESTS_PER_SECOND, BURST = 100.0, 1000.0
"""Of one client: a page takes some sixty requests, plus those for what it shows."""

REQUESTS = Concurrency(64, 32)
"""More would only wait for each other."""

STREAMS = Concurrency(500, 100)
"""Streams, two for each open page, and uploads."""

PROBES = Concurrency(16, 8)
"""Health checks and metrics. They have limits of their own: a busy server must still report that it
is alive, or a supervisor restarts it.
"""

MOST_BODY_BYTES = 256 * 1024
"""Room for a question of maximum length with every character escaped, twice; or for the names of a
thousand files. Parsing a few MB of JSON with many small parts would block the server for seconds.
"""

MOST_FORM_BYTES = 10_000
"""Of a submitted login form."""

BODY_SECONDS = 30.0
"""Time limit for receiving a whole body."""

# ---- who gets in ----

Role: TypeAlias = Literal["reader", "owner"]
"""``reader`` searches and reads; ``owner`` also indexes, uploads, removes, renames and rates."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sent a request: an account's name, or none, and a role."""

    name: str
    role: Role

    @property
    def may_change(self) -> bool:
        """Whether the principal may make changes, or name paths of this machine."""
        return self.role == "owner"


ANYBODY = Principal("", "reader")
"""The principal of a server without authentication that others can reach."""

LOCAL_OWNER = Principal("", "owner")
"""The principal of a server that only this machine can reach."""

PRINCIPAL = "rag.principal"
"""The key under which the middleware puts the principal into a request's scope."""


def principal_of(scope: Scope) -> Principal:
    """The request's principal; one that bypassed the middleware may change nothing."""
    found = scope.get(PRINCIPAL, ANYBODY)
    return found if isinstance(found, Principal) else ANYBODY


@dataclass(frozen=True, slots=True)
class Hosts:
    """The host names that a server answers to.

    Another site can point a domain of its own at this machine (DNS rebinding), and the browser
    would then treat our responses as that site's. So we answer only to names that nobody else can
    control: the configured ones and, with ``addresses``, any numeric IP address.
    """

    names: frozenset[str]
    addresses: bool = False

    def __contains__(self, authority: str) -> bool:
        """Whether ``host`` or ``host:port``, from a request, is one of them."""
        try:
            host = (urlsplit(f"//{authority}").hostname or "").removesuffix(".")
        except ValueError:
            return False
        return host in self.names or (self.addresses and _address(host) is not None)


@dataclass(frozen=True, slots=True)
class Access:
    """How a server can be reached, and who gets in.

    ``accounts`` are the known users; without any, everybody gets in, as ``everybody``. ``proxy`` is
    the address of a reverse proxy whose forwarding headers are trusted. ``root`` is the path under
    which it serves the application, percent-encoded and without a trailing slash; empty for the
    root.
    """

    hosts: Hosts
    accounts: Accounts | None = None
    everybody: Principal = ANYBODY
    proxy: str | None = None
    root: str = ""

    @property
    def may_be_changed(self) -> bool:
        """Whether anybody at all may make changes through the server."""
        return self.accounts is not None or self.everybody.may_change


LOCAL = Access(Hosts(frozenset(LOOPBACK)), everybody=LOCAL_OWNER)
"""The policy of a server on loopback."""

_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?\.?")


def decide(
    host: str,
    *,
    accounts: Accounts | None = None,
    insecure: bool = False,
    names: Sequence[str] = (),
    proxy: str | None = None,
    root: str = "",
) -> Access:
    """Decide the access policy of a server that listens at ``host``.

    ``insecure`` lets anybody read, ``names`` are additional host names, ``proxy`` is the address of
    a reverse proxy, and ``root`` the path under which the proxy serves the application.

    Raises
    ------
    InputError
        If others could reach the server and nothing says who gets in, or if the arguments are
        invalid or contradict each other.
    """
    if insecure and accounts is not None:
        raise InputError("--insecure lets anybody in, and --auth only some; give one of the two")
    if root and proxy is None:
        raise InputError(
            "--root-path is where a reverse proxy shows this server; name the proxy, too: "
            "--behind-proxy ADDRESS"
        )
    if proxy is not None and _address(proxy) is None:
        raise InputError(
            f"--behind-proxy {proxy}: it takes the IP address of the proxy, like 127.0.0.1"
        )
    local = _is_loopback(host) and proxy is None
    if not local and accounts is None and not insecure:
        raise InputError(
            f"others could reach {'this server through the proxy' if proxy else host}: say who "
            "may log in with --auth FILE, which rag password FILE NAME makes, or let anybody "
            "search and nobody change anything with --insecure"
        )
    return Access(
        hosts=_hosts(names, local=local),
        accounts=accounts,
        everybody=LOCAL_OWNER if local and not insecure else ANYBODY,
        proxy=proxy,
        root=_root(root),
    )


def _is_loopback(host: str) -> bool:
    """Whether a server listening on this host is reachable from this machine only."""
    address = _address(host.strip("[]"))
    return host in LOOPBACK or (address is not None and address.is_loopback)


def _hosts(names: Sequence[str], *, local: bool) -> Hosts:
    given = [name.lower().removesuffix(".") for name in names]
    for name in given:
        if _HOST.fullmatch(name) is None and _address(name) is None:
            raise InputError(
                f"--allow-host {name}: it takes a name without a port, like docs.example.org"
            )
    if local:
        return Hosts(frozenset((*LOOPBACK, *given)))
    # Not getfqdn, which would query DNS.
    own = socket.gethostname().lower()
    return Hosts(frozenset((*LOOPBACK, own, f"{own}.local", *given)), addresses=True)


def _root(path: str) -> str:
    """Normalize a path such as ``/docs-search`` to percent-encoding; empty for the root."""
    parts = unquote(path).strip("/")
    if parts and any(part in {"", ".", ".."} for part in parts.split("/")):
        raise InputError(f"--root-path {path}: it takes a path like /docs-search")
    return f"/{quote(parts)}" if parts else ""


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
