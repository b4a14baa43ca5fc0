"""What every response carries, and whose requests are answered: those of people at an address bar,
of pages of ours, and of programs; never those of another page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ui.security.access import Names

from ui import strings
from ui.api import problems
from ui.security import messages
from ui.security.error_response import refusal

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # the address holds the question
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": ", ".join(
        (
            "clipboard-write=(self)",  # quotations are copied
            *(
                f"{feature}=()"
                for feature in (
                    *("accelerometer", "autoplay", "browsing-topics", "camera"),
                    *("display-capture", "encrypted-media", "fullscreen"),
                    *(
                        "geolocation",
                        "gyroscope",
                        "hid",
                        "identity-credentials-get",
                        "idle-detection",
                    ),
                    *("local-fonts", "magnetometer", "microphone", "midi", "payment"),
                    *("picture-in-picture", "publickey-credentials-get", "screen-wake-lock"),
                    *("serial", "usb", "xr-spatial-tracking"),
                )
            ),
        )
    ),
}

STILL = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'self'"
    )
}
"""For pages of our own: a style sheet and text. No script runs, whatever a document says."""

NOTHING = "default-src 'none'; frame-ancestors 'none'"
"""For whatever brings no policy of its own, and is no page: answers to programs, say."""


MAX_PORT = 65535

_AUTHORITY = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[0-9a-zA-Z._-]+)(?::(?P<port>[0-9]{1,5}))?")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?P<authority>.+)")


def headed(app: ASGIApp) -> ASGIApp:
    """``app`` with the headers above on every response, whoever makes it."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers[name] = value
                headers.setdefault("content-security-policy", NOTHING)
            await send(message)

        await app(scope, receive, with_headers)

    return call


def named(app: ASGIApp, names: Names) -> ASGIApp:
    """``app``, which answers only to names of its own, and only where they are written as such."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if not _is_well_formed(headers):
            refused = refusal(scope, problems.MALFORMED, messages.MALFORMED)
            await refused(scope, receive, send)
        elif names.has(headers["host"]):
            await app(scope, receive, send)
        else:
            refused = refusal(scope, problems.OTHER_NAME, messages.OTHER_NAME)
            await refused(scope, receive, send)

    return call


def _is_well_formed(headers: Headers) -> bool:
    """Whether there is one host, at most one origin, each is written as browsers do, and the
    length of the body is given in one way.

    What is read in two ways here and by the next program is refused, not guessed.
    """
    if "content-length" in headers and "transfer-encoding" in headers:
        return False
    hosts, origins = headers.getlist("host"), headers.getlist("origin")
    found = (_ORIGIN.fullmatch(one) for one in origins if one != "null")
    authorities = [*hosts, *(one["authority"] if one else "" for one in found)]
    return len(hosts) == 1 and len(origins) <= 1 and all(map(_is_authority, authorities))


def _is_authority(text: str) -> bool:
    """Whether this is a host, or a host and a port from 1 to 65535, and nothing else."""
    found = _AUTHORITY.fullmatch(text)
    return found is not None and 1 <= int(found["port"] or 1) <= MAX_PORT


def kept_from_others(app: ASGIApp) -> ASGIApp:
    """``app``, which other pages can neither ask nor show: only lead to."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if is_from_here(scope):
            await app(scope, receive, send)
        else:
            refused = refusal(scope, problems.NOT_FROM_HERE, strings.NOT_FROM_HERE)
            await refused(scope, receive, send)

    return call


def is_from_here(scope: Scope) -> bool:
    """Whether a request comes from a page of ours, a program, or an address bar, but from no other
    page; of those, only a link that a person follows is answered.

    A browser names the page's origin with whatever changes something or would read the answer. The
    newer ``Sec-Fetch`` headers also say it of pictures, frames and the like; browsers leave them
    out over HTTP but on this machine.
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


def _authority(origin: str) -> str | None:
    """The host and port of an origin; None where it has none, or is no address."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None
