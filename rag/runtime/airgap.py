"""Air-gapped mode: every attempt to reach another machine is refused before anything is sent.

rag never contacts anyone by itself; this enforces it, whatever a dependency may try. Python calls
an audit hook before each connection, message and name lookup, and the hook raises. It can't be
removed. This machine stays reachable: its loopback addresses, and Unix sockets.

The hook can't see connections that compiled code makes by itself; the tests look for those on
systems that report them (``tests/maintenance/test_airgap.py``).
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from typing import Final

from rag.errors import AirGapped, RagError

VARIABLE: Final = "RAG_AIRGAP"
"""The environment variable that turns it on, for child processes, too."""

NOBODY: Final = ("192.0.2.1", 9)
"""An unassigned address: TEST-NET-1 of RFC 5737, which no router forwards."""

_ADDRESSED: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
"""Audit events whose second argument is an address."""

_LOOKED_UP: Final = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})
"""Audit events that may query DNS for the address of their first argument, unless it is numeric."""

_NAMED: Final = frozenset({"socket.gethostbyaddr", "socket.getnameinfo"})
"""Audit events that may query DNS for the name of their first argument, even if it is numeric."""

_OWN_NAMES: Final = frozenset({"", "localhost"})

_closed = False


def is_requested() -> bool:
    """Whether the environment turns air-gapped mode on."""
    return os.environ.get(VARIABLE, "").lower() not in {"", "0", "false", "no", "off"}


def close() -> None:
    """Turn air-gapped mode on, permanently, and check that it works.

    Processes started from now on inherit it.

    Raises
    ------
    RagError
        If it doesn't work.
    """
    global _closed  # noqa: PLW0603 (a hook stays for as long as the process)
    os.environ[VARIABLE] = "1"
    if not _closed:
        sys.addaudithook(_refuse)
        _closed = True
    _prove()


def close_if_requested() -> None:
    """Call :func:`close` if the environment says so."""
    if is_requested():
        close()


def _prove() -> None:
    """Try to connect to an unassigned address, and check that it is refused.

    By UDP, where connect only records the address, so nothing is sent even if it isn't refused.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trying:
        try:
            trying.connect(NOBODY)
        except AirGapped:
            return
        except OSError:  # no route, not our refusal
            pass
    raise RagError(
        "--airgap does not work here: a connection was not refused; run rag with CPython, or block "
        "the network by other means"
    )


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    """Audit hook: raise for events that would reach another machine."""
    if event in _ADDRESSED:
        address = arguments[1]
        # A path, or None if the socket is already connected.
        host = address[0] if isinstance(address, tuple) else ""
    elif event in _LOOKED_UP:
        host = arguments[0] or ""
        if _address(_text(host)):
            return
    elif event in _NAMED:
        name = arguments[0]
        host = name[0] if isinstance(name, tuple) and name else name
    else:
        return
    text = _text(host)
    if not _is_local(text):
        raise AirGapped(
            f"--airgap: a connection to {text} was refused; rag works without a network"
        )


def _is_local(host: str) -> bool:
    """Whether a host is this machine, without a lookup."""
    address = _address(host)
    if address is None:
        return host in _OWN_NAMES
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """A numeric address, which needs no lookup; None if it is a name."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _text(host: object) -> str:
    return host.decode("latin-1") if isinstance(host, bytes | bytearray) else str(host)
