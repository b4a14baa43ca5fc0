"""A process that reaches no other machine: every attempt is refused before anything leaves.

rag never contacts anybody by itself; this makes sure of it, whatever a library under it may try.
Python tells an audit hook of each connection, message and name to look up before it happens, and
the hook raises. It can't be taken out again. This machine itself stays reachable: its loopback
addresses, and sockets that are files.

What the hook can't see is a connection that compiled code makes by itself; the tests look for
those where the system tells of them (``tests/maintenance/test_airgap.py``).
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from typing import Final

from rag.errors import AirGapped, RagError

VARIABLE: Final = "RAG_AIRGAP"
"""The environment variable that says so; processes that are started hear of it by that."""

NOBODY: Final = ("192.0.2.1", 9)
"""An address that is nobody's: TEST-NET-1 of RFC 5737, which no router passes on."""

_ADDRESSED: Final = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1}
"""What reaches for an address, and which argument of it that is."""

_LOOKED_UP: Final = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})
"""What may ask a name server for the address of its first argument, but for one in numbers."""

_NAMED: Final = frozenset({"socket.gethostbyaddr", "socket.getnameinfo"})
"""What may ask one for the name of its first argument, in numbers most of all."""

_OWN_NAMES: Final = frozenset({"", "localhost"})

_closed = False


def is_told() -> bool:
    """Whether the environment says that no other machine may be reached."""
    return os.environ.get(VARIABLE, "").lower() not in {"", "0", "false", "no", "off"}


def close() -> None:
    """Reach no other machine from now on, and see to it that it holds; for good.

    Processes that are started from here on do the same.

    Raises
    ------
    RagError
        If it does not hold.
    """
    global _closed  # noqa: PLW0603 (a hook stays for as long as the process)
    os.environ[VARIABLE] = "1"
    if not _closed:
        sys.addaudithook(_refuse)
        _closed = True
    _prove()


def close_if_told() -> None:
    """The same, where the environment says so."""
    if is_told():
        close()


def _prove() -> None:
    """Try to reach an address that is nobody's, and see it refused.

    By UDP, where connecting only notes the address: so nothing leaves even if nothing refuses it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trying:
        try:
            trying.connect(NOBODY)
        except AirGapped:
            return
        except OSError:  # no route: that is no refusal of ours
            pass
    raise RagError(
        "--airgap does not hold here: a connection was not refused; run rag with CPython, or cut "
        "the network off by other means"
    )


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    """Raise for what would reach another machine; called by Python before it happens."""
    if event in _ADDRESSED:
        address = arguments[_ADDRESSED[event]]
        # A file's name, or none where the socket is connected already.
        if isinstance(address, tuple) and not _is_here(address[0]):
            raise AirGapped(_line(address[0]))
    elif event in _LOOKED_UP:
        name = arguments[0]
        if name is not None and not (_is_here(name) or _is_address(name)):
            raise AirGapped(_line(name))
    elif event in _NAMED:
        name = arguments[0]
        name = name[0] if isinstance(name, tuple) and name else name
        if not _is_here(name):
            raise AirGapped(_line(name))


def _is_here(host: object) -> bool:
    """Whether a host is this machine, without asking anybody."""
    text = _text(host)
    if text in _OWN_NAMES:
        return True
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _is_address(host: object) -> bool:
    """Whether a host is written in numbers, so that nobody is asked for them."""
    try:
        ipaddress.ip_address(_text(host).partition("%")[0])
    except ValueError:
        return False
    return True


def _text(host: object) -> str:
    return host.decode("latin-1") if isinstance(host, bytes | bytearray) else str(host)


def _line(host: object) -> str:
    return f"--airgap: a connection to {_text(host)} was refused; rag works without a network"
