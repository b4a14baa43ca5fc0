"""Where a request comes from: through which proxy, to which host name, from whose page.

Requests are accepted under our own names, from the address bar, from our own pages and from
programs, never from another site's page.

Any client can send forwarding headers. So they count only from the configured proxy's own address,
only by their last hop, which is the proxy's own, and they are always stripped: Gradio would trust
them from anybody.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from ui.api import problems
from ui.security.policy import Access, Hosts
from ui.security.rate_limit import normalize_address

FORWARDING = frozenset(
    {
        *("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
        *("x-forwarded-port", "x-forwarded-prefix", "x-forwarded-server", "x-forwarded-ssl"),
        *("x-real-ip", "x-gradio-server", "x-original-url", "x-rewrite-url"),
    }
)
"""Headers that describe the original request and its client."""

MAX_PORT = 65535

_AUTHORITY = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[0-9a-zA-Z._-]+)(?::(?P<port>[0-9]{1,5}))?")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?P<authority>.+)")


def before_proxy(scope: Scope, access: Access) -> Scope:
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
            raise problems.Refused(
                problems.BY_PROXY,
                "This request came through a reverse proxy that the server doesn't know: start it "
                "with --behind-proxy ADDRESS, the proxy's own address",
            )
        return scope
    kept = [one for one in scope["headers"] if one[0].decode("latin-1") not in FORWARDING]
    request = {**scope, "headers": kept}
    # The exact address: an IPv6 client counts as a whole /64, and any host in it could claim this.
    peer = (scope.get("client") or ("",))[0]
    if normalize_address(peer) == normalize_address(access.proxy):
        last = {name: line.rpartition(",")[2].strip() for name, line in lines.items()}
        if host := last.get("x-forwarded-host"):
            request["headers"] = [one for one in kept if one[0] != b"host"]
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


def require_host(scope: Scope, hosts: Hosts) -> None:
    """Raise Refused unless the request is well-formed and to one of our own host names."""
    headers = Headers(scope=scope)
    if not _is_well_formed(headers):
        raise problems.Refused(
            problems.MALFORMED,
            "The headers of this request are malformed: send one Host, like 127.0.0.1:7860, one "
            "Origin or none, and a Content-Length or chunks, not both",
        )
    if headers["host"] not in hosts:
        raise problems.Refused(
            problems.OTHER_NAME,
            "This server does not answer to that host name; to allow it, start the server with "
            "--allow-host NAME",
        )


def require_same_origin(scope: Scope) -> None:
    """Raise Refused unless a request comes from one of our pages, a program or the address bar;
    from another site only a link that a user follows is accepted.

    Browsers send Origin with requests that change something or read the response cross-origin. The
    newer ``Sec-Fetch-*`` headers also cover images, frames and the like, but browsers omit them
    over plain HTTP except on loopback.
    """
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    foreign = origin is not None and _authority(origin) != headers.get("host")
    followed_link = (
        scope["method"] in {"GET", "HEAD"}
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )
    other_site = headers.get("sec-fetch-site") in {"cross-site", "same-site"}
    if foreign or (other_site and not followed_link):
        raise problems.Refused(problems.NOT_FROM_HERE, "Only this page itself may do that")


def _is_well_formed(headers: Headers) -> bool:
    """Whether there is exactly one Host, at most one Origin, both well-formed, and the body's
    length is declared in one way.

    Whatever another program might parse differently is refused (request smuggling).
    """
    if "content-length" in headers and "transfer-encoding" in headers:
        return False
    hosts, origins = headers.getlist("host"), headers.getlist("origin")
    found = (_ORIGIN.fullmatch(one) for one in origins if one != "null")
    authorities = [*hosts, *(one["authority"] if one else "" for one in found)]
    return len(hosts) == 1 and len(origins) <= 1 and all(map(_is_authority, authorities))


def _is_authority(text: str) -> bool:
    """Whether the text is exactly a host, or a host with a port from 1 to 65535."""
    found = _AUTHORITY.fullmatch(text)
    return found is not None and 1 <= int(found["port"] or 1) <= MAX_PORT


def _authority(origin: str) -> str | None:
    """The host and port of an origin; None if it has none or is not a URL."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None
