"""Forwarding headers of a reverse proxy: client address, host and scheme.

Any client can send such headers. So they count only from the configured proxy's own address, only
by their last hop, which is the proxy's own, and they are always stripped: Gradio would trust them
from anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.datastructures import Headers

from ui.api import problems
from ui.security import messages
from ui.security.rate_limit import normalize_address

if TYPE_CHECKING:
    from starlette.types import Scope

    from ui.security.policy import Access

FORWARDING = frozenset(
    {
        *("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
        *("x-forwarded-port", "x-forwarded-prefix", "x-forwarded-server", "x-forwarded-ssl"),
        *("x-real-ip", "x-gradio-server", "x-original-url", "x-rewrite-url"),
    }
)
"""Headers that describe the original request and its client."""


def original(scope: Scope, access: Access) -> Scope:
    """The request as the proxy received it, below the proxy's path, without forwarding headers.

    Raises
    ------
    Refused
        If the request was forwarded and no proxy is configured: every client would be taken for a
        local user.
    """
    headers = Headers(scope=scope)
    lines = {name: headers.getlist(name)[-1] for name in FORWARDING if name in headers}
    if access.proxy is None:
        if lines:
            raise problems.Refused(problems.BY_PROXY, messages.BEHIND_A_PROXY)
        return scope
    request = {**scope, "headers": [one for one in scope["headers"] if not _is_forwarding(one[0])]}
    # The exact address: an IPv6 client counts as a whole /64, and any host in it could claim this.
    peer = (scope.get("client") or ("",))[0]
    if normalize_address(peer) == normalize_address(access.proxy):
        last = {name: line.rpartition(",")[2].strip() for name, line in lines.items()}
        if host := last.get("x-forwarded-host"):
            request["headers"] = [one for one in request["headers"] if one[0] != b"host"]
            request["headers"].append((b"host", host.encode("latin-1")))
        if last.get("x-forwarded-proto") in {"http", "https"}:
            request["scheme"] = last["x-forwarded-proto"]
        if "x-forwarded-for" in last:
            request["client"] = (last["x-forwarded-for"], 0)
    # Whether or not the proxy strips its path.
    within = scope["path"]
    if f"{within}/".startswith(f"{unquote(access.root)}/"):
        within = within[len(unquote(access.root)) :]
    return {**request, "path": f"{access.root}{within}", "root_path": access.root}


def _is_forwarding(name: bytes) -> bool:
    return name.decode("latin-1") in FORWARDING
