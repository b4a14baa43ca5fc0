"""The content of signed files and mail (CMS SignedData, RFC 5652, in BER). Signatures aren't
verified.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from rag.documents.content import Content, whole
from rag.documents.loaded import Member
from rag.errors import LoadError

_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")
"""Object identifiers of the two content types."""

_WITHIN, _ALGORITHMS_WITHIN = 40, 1_000
_EXPLICIT, _OCTETS, _PIECES_OF_OCTETS = 0xA0, 0x04, 0x24
_INDEFINITE = 0x80
_LONG = 0x7F
_ARMOUR = re.compile(rb"-----[^-\n]{1,40}-----")
_MAIL = re.compile(rb"(?:content-[a-z-]{1,30}|mime-version):", re.IGNORECASE)
MOST_SIGNED = 10
"""Maximum number of signatures around each other."""
_TOO_DEEP = (
    f"it was signed more than {MOST_SIGNED} times; save what it holds from your mail program"
)
_NOT_SIGNED = "it is encrypted, or holds only a signature; decrypt it where it came from"


def members_of_signed(data: Content) -> Iterator[Member]:
    """Yield the file or message that was signed; raises LoadError if there is none, or it is
    encrypted or was signed too often.
    """
    written = whole(data)
    if _MAIL.match(written):  # saved with the header that it has in a mail
        yield Member("message.eml", written)
        return
    if not written.startswith(b"\x30"):
        try:
            written = base64.b64decode(_ARMOUR.sub(b"", written))
        except binascii.Error as error:
            raise LoadError(_NOT_SIGNED) from error
    signed = signed_content(written)
    if signed is None:
        raise LoadError(_NOT_SIGNED)
    is_mail = _MAIL.match(signed)
    yield Member("message.eml" if is_mail else "", signed)


def signed_content(data: bytes) -> bytes | None:
    """What was signed, once or several times; None if it is encrypted, or isn't in ``data``. Raises
    LoadError if it was signed too often.
    """
    found = None
    for _ in range(MOST_SIGNED):
        inner = _content(data if found is None else found)
        if inner is None:
            return found
        found = inner
    raise LoadError(_TOO_DEEP)


def _content(data: bytes) -> bytes | None:
    at = data.find(_SIGNED_DATA, 0, _WITHIN)
    at = data.find(_DATA, at, at + _ALGORITHMS_WITHIN) if at >= 0 else -1
    if at < 0:
        return None
    at += len(_DATA)
    pieces: list[bytes] = []
    while at + 1 < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length > _INDEFINITE:
            size = length & _LONG
            length, at = int.from_bytes(data[at : at + size]), at + size
        if tag == _OCTETS:
            pieces.append(data[at : at + length])
            at += length
        elif pieces or tag not in (_EXPLICIT, _PIECES_OF_OCTETS):
            break
    return b"".join(pieces) if pieces else None
