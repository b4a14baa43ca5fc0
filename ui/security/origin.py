"""Security headers on every response, and the checks of Host and Origin: requests are accepted
under our own names, from the address bar, from our own pages and from programs, never from another
site's page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from ui import strings
from ui.api import problems
from ui.security import messages

if TYPE_CHECKING:
    from starlette.types import Message, Scope, Send

    from ui.security.policy import Hosts

_FORBIDDEN = (
    "accelerometer autoplay browsing-topics camera display-capture encrypted-media fullscreen "
    "geolocation gyroscope hid identity-credentials-get idle-detection local-fonts magnetometer "
    "microphone midi payment picture-in-picture publickey-credentials-get screen-wake-lock serial "
    "usb xr-spatial-tracking"
)
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # the address contains the question
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    # Quotations are copied.
    "permissions-policy": ", ".join(
        ("clipboard-write=(self)", *(f"{feature}=()" for feature in _FORBIDDEN.split()))
    ),
}
"""Headers of every response."""

STILL = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'self'"
    )
}
"""For our own pages: a style sheet and text. No script runs, whatever a document contains."""

NOTHING = "default-src 'none'; frame-ancestors 'none'"
"""For responses without a policy of their own, such as those to programs."""

MAX_PORT = 65535

_AUTHORITY = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[0-9a-zA-Z._-]+)(?::(?P<port>[0-9]{1,5}))?")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?P<authority>.+)")


def with_headers(send: Send) -> Send:
    """Wrap ``send`` to add the headers above to a response."""

    async def call(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(ALWAYS)
            headers.setdefault("content-security-policy", NOTHING)
        await send(message)

    return call


def require_host(scope: Scope, hosts: Hosts) -> None:
    """Raise Refused unless the request is well-formed and to one of our own host names."""
    headers = Headers(scope=scope)
    if not _is_well_formed(headers):
        raise problems.Refused(problems.MALFORMED, messages.MALFORMED)
    if headers["host"] not in hosts:
        raise problems.Refused(problems.OTHER_NAME, messages.OTHER_NAME)


def require_same_origin(scope: Scope) -> None:
    """Raise Refused unless :func:`is_from_here`."""
    if not is_from_here(scope):
        raise problems.Refused(problems.NOT_FROM_HERE, strings.NOT_FROM_HERE)


def is_from_here(scope: Scope) -> bool:
    """Whether a request comes from one of our pages, a program or the address bar; from another
    site only a link that a user follows is accepted.

    Browsers send Origin with requests that change something or read the response cross-origin. The
    newer ``Sec-Fetch-*`` headers also cover images, frames and the like, but browsers omit them
    over plain HTTP except on loopback.
    """
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is not None and _authority(origin) != headers.get("host"):
        return False
    if headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
        return (
            scope["method"] in {"GET", "HEAD"}
            and headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest") == "document"
        )
    return True


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
