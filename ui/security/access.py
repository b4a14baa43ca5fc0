"""Who can reach a server, under which names, and who of them gets in: decided before it starts.

Three cases, and no fourth. A server that only this machine can reach lets everybody do everything.
One that others can reach, directly or through a reverse proxy, asks who they are; or it was told to
answer anybody, and then changes nothing for anybody. Without being told one of the two it does not
start.
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
"""What this machine calls itself."""

WHO_GETS_IN = (
    "others could reach {where}: say who gets in with --auth FILE, which rag password FILE NAME "
    "makes; or let anybody ask, and nobody change anything, with --insecure"
)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?\.?")


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a server answers to.

    A page elsewhere can point a name of its own at this machine (DNS rebinding), and its visitor's
    browser would then take what this server says for that page's. So only names are answered that
    nobody else can have: those that were given, and with ``addresses`` any address written in
    numbers.
    """

    known: frozenset[str]
    addresses: bool = False

    def has(self, authority: str) -> bool:
        """Whether ``host`` or ``host:port``, as a request says it, is one of them."""
        try:
            host = urlsplit(f"//{authority}").hostname or ""
        except ValueError:
            return False
        host = host.removesuffix(".")
        return host in self.known or (self.addresses and _address(host) is not None)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A reverse proxy in front of the server, at this address: what it says of requests is true."""

    address: str


@dataclass(frozen=True, slots=True)
class Access:
    """How a server can be reached, and who gets in.

    ``accounts`` are those it knows; where there are none everybody gets in, as ``everybody``.
    ``root`` is the path under which a proxy shows it, percent-encoded and without a slash at its
    end; empty for the root.
    """

    names: Names
    accounts: Accounts | None = None
    everybody: Visitor = principal.ANYBODY
    proxy: Proxy | None = None
    root: str = ""

    @property
    def may_be_changed(self) -> bool:
        """Whether anybody at all may change something through the server."""
        return self.accounts is not None or self.everybody.may_change


def is_local(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
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
    """Who gets into a server that listens at ``host``.

    ``insecure`` is whether anybody may ask, ``names`` are further names that the server has,
    ``proxy`` is the address of a reverse proxy, and ``root`` the path under which that shows it.

    Raises
    ------
    InputError
        If others could reach it and nothing says who gets in, or if something can't be meant so.
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
    # Not getfqdn, which would ask a name server.
    own = socket.gethostname().lower()
    return Names(frozenset((*LOCAL, own, f"{own}.local", *given)), addresses=True)


def _root(given: str) -> str:
    """A path like ``/docs-search``, percent-encoded; empty for the root."""
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
"""A server that only this machine can reach."""
