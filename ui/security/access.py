"""The access policy of a server: who can reach it, under which host names, and who gets in. Decided
before it starts.

There are three cases. A server on loopback lets everybody do everything. One that others can reach,
directly or through a reverse proxy, authenticates users; or, if told to, it answers anybody and
nobody can change anything. A reachable server that was told neither does not start.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from rag import InputError
from ui.security import principal

if TYPE_CHECKING:
    from ui.security.accounts import Accounts
    from ui.security.principal import Visitor

LOCAL = ("127.0.0.1", "localhost", "::1")
"""Host names of the loopback interface."""

WHO_GETS_IN = (
    "others could reach {where}: say who gets in with --auth FILE, which rag password FILE NAME "
    "makes; or let anybody ask, and nobody change anything, with --insecure"
)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?\.?")


@dataclass(frozen=True, slots=True)
class Names:
    """The host names that a server answers to.

    Another site can point a domain of its own at this machine (DNS rebinding), and the browser
    would then treat our responses as that site's. So we answer only to names that nobody else can
    control: the configured ones and, with ``addresses``, any numeric IP address.
    """

    known: frozenset[str]
    addresses: bool = False

    def has(self, authority: str) -> bool:
        """Whether ``host`` or ``host:port``, from a request, is one of them."""
        try:
            host = urlsplit(f"//{authority}").hostname or ""
        except ValueError:
            return False
        host = host.removesuffix(".")
        return host in self.known or (self.addresses and _address(host) is not None)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A reverse proxy at this address, whose forwarding headers are trusted."""

    address: str


@dataclass(frozen=True, slots=True)
class Access:
    """How a server can be reached, and who gets in.

    ``accounts`` are the known users; without any, everybody gets in, as ``everybody``. ``root`` is
    the path under which a proxy serves the application, percent-encoded and without a trailing
    slash; empty for the root.
    """

    names: Names
    accounts: Accounts | None = None
    everybody: Visitor = principal.ANYBODY
    proxy: Proxy | None = None
    root: str = ""

    @property
    def may_be_changed(self) -> bool:
        """Whether anybody at all may make changes through the server."""
        return self.accounts is not None or self.everybody.may_change


def is_local(host: str) -> bool:
    """Whether a server listening on this host is reachable from this machine only."""
    address = _address(host.strip("[]"))
    return host in LOCAL or (address is not None and address.is_loopback)


def decided(
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
            f"--behind-proxy {proxy}: it takes the address from which the proxy asks, like "
            "127.0.0.1"
        )
    alone = is_local(host) and proxy is None
    if not alone and accounts is None and not insecure:
        where = "this server through the proxy" if proxy else host
        raise InputError(WHO_GETS_IN.format(where=where))
    return Access(
        names=_names(names, alone=alone),
        accounts=accounts,
        everybody=principal.AT_THIS_MACHINE if alone and not insecure else principal.ANYBODY,
        proxy=Proxy(proxy) if proxy is not None else None,
        root=_root(root),
    )


def _names(more: Sequence[str], *, alone: bool) -> Names:
    given = [one.lower().removesuffix(".") for one in more]
    for one in given:
        if _HOST.fullmatch(one) is None and _address(one) is None:
            raise InputError(
                f"--allow-host {one}: it takes a name without a port, like docs.example.org"
            )
    if alone:
        return Names(frozenset((*LOCAL, *given)))
    # Not getfqdn, which would query DNS.
    own = socket.gethostname().lower()
    return Names(frozenset((*LOCAL, own, f"{own}.local", *given)), addresses=True)


def _root(given: str) -> str:
    """Normalize a path such as ``/docs-search`` to percent-encoding; empty for the root."""
    path = unquote(given).strip("/")
    if any(not part or part in {".", ".."} for part in path.split("/")) and path:
        raise InputError(f"--root-path {given}: it takes a path like /docs-search")
    return f"/{quote(path)}" if path else ""


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


HERE = Access(Names(frozenset(LOCAL)), everybody=principal.AT_THIS_MACHINE)
"""The policy of a server on loopback."""
