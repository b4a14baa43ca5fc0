"""Bodies of mail as programs send it: stubs, invitations, signed messages."""

from __future__ import annotations

import base64
from email.message import EmailMessage
from pathlib import Path

import pytest

from rag.documents.registry import load
from rag.errors import LoadError
from rag.types import Document

EVENT = (
    "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Budget\r\n"
    "DTSTART:20240612T090000Z\r\nLOCATION:Room 4\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return bytes([tag, 0x82]) + len(content).to_bytes(2) + content


def _signed(*pieces: bytes) -> bytes:
    """A signed file without its signature; in pieces as programs write it that don't know its
    length beforehand.
    """
    octets = [_der(0x04, piece) for piece in pieces]
    whole = octets[0] if len(octets) == 1 else b"\x24\x80" + b"".join(octets) + b"\0\0"
    data = _der(0x30, bytes.fromhex("06092a864886f70d010701"), _der(0xA0, whole))
    signed_data = _der(0x30, b"\x02\x01\x01", b"\x31\x00", data, _der(0xA0, b"certificates"))
    return _der(0x30, bytes.fromhex("06092a864886f70d010702"), _der(0xA0, signed_data))


def _text(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    (document,) = load(path)
    assert isinstance(document, Document)
    return document.text.rpartition("From: a@example.org\n\n")[2]


def _mail(plain: str, *, html: str = "", event: str = "") -> bytes:
    message = EmailMessage()
    message["From"] = "a@example.org"
    message.set_content(plain)
    if html:
        message.add_alternative(html, subtype="html")
    if event:
        message.add_alternative(event, subtype="calendar")
    return bytes(message)


@pytest.mark.parametrize(
    "stub",
    ["Your mail program can't show HTML.", "View in browser: https://example.org/x?1", "Hi."],
)
def test_a_page_that_says_something_else(tmp_path: Path, stub: str) -> None:
    """It is read, too: the plain text is a stub, or has words of its own."""
    data = _mail(stub, html="<p>Your train leaves from platform 7.</p>")
    assert _text(tmp_path / "a.eml", data) == f"{stub}\n\nYour train leaves from platform 7."


def test_the_plain_text_is_preferred(tmp_path: Path) -> None:
    """It may lack the frame of the page."""
    page = "<p>View it <a>online</a></p><p>Your <b>train</b> leaves from platform 7.</p>"
    data = _mail("Your *train* leaves\nfrom platform 7.", html=page)
    assert _text(tmp_path / "a.eml", data) == "Your *train* leaves\nfrom platform 7."


def test_an_invitation(tmp_path: Path) -> None:
    """Its time and place follow the text."""
    assert _text(tmp_path / "a.eml", _mail("You are invited.", event=EVENT)) == (
        "You are invited.\n\nBudget\n\nStart: 12 June 2024 09:00 UTC\nLocation: Room 4"
    )


@pytest.mark.parametrize("pieces", [(b"Price: 12,500.",), (b"Price: ", b"12,500.")])
def test_a_signed_message(tmp_path: Path, pieces: tuple[bytes, ...]) -> None:
    """It is not encrypted: what was signed is a part like others."""
    body = base64.encodebytes(_signed(b"Content-Type: text/plain\r\n\r\n", *pieces))
    head = b'From: a@example.org\nContent-Type: application/pkcs7-mime; name="smime.p7m"\n'
    data = head + b"Content-Transfer-Encoding: base64\n\n" + body
    assert _text(tmp_path / "a.eml", data) == "Price: 12,500."


def test_signed_messages_in_each_other(tmp_path: Path) -> None:
    """A few are read; more than anyone signs are refused."""
    head = b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n"

    def nested(levels: int) -> bytes:
        part = b"Content-Type: text/plain\r\n\r\nPrice: 12,500."
        for _ in range(levels):
            part = head + base64.encodebytes(_signed(part))
        return b"From: a@example.org\r\n" + part

    assert _text(tmp_path / "a.eml", nested(3)) == "Price: 12,500."
    with pytest.raises(LoadError, match="its parts are nested too deeply; "):
        _text(tmp_path / "a.eml", nested(11))


def test_a_signed_file(tmp_path: Path) -> None:
    """It is read by the name within its own, in binary or in letters."""
    data = _signed(b"<p>Price: 12</p>")
    letters = b"-----BEGIN PKCS7-----\n" + base64.encodebytes(data) + b"-----END PKCS7-----\n"
    for content in (data, base64.encodebytes(data), letters):
        assert _text(tmp_path / "a.html.p7m", content) == "Price: 12"


def test_a_file_signed_several_times(tmp_path: Path) -> None:
    """It is read through all signatures, as a file or as messages; not through endless ones."""
    data = b"<p>Price: 12</p>"
    for _ in range(3):
        data = _signed(data)
    assert _text(tmp_path / "a.html.p7m", data) == "Price: 12"
    message = b"Content-Type: text/plain\r\n\r\nPrice: 12"
    for _ in range(3):
        head = b"Content-Disposition: attachment\r\nContent-Type: application/pkcs7-mime\r\n"
        head += b"Content-Transfer-Encoding: base64\r\n\r\n"
        message = head + base64.encodebytes(_signed(message))
    for one in (message, _signed(message)):
        assert _text(tmp_path / "smime.p7m", one) == "Price: 12"
    for _ in range(10):
        data = _signed(data)
    with pytest.raises(LoadError, match="it was signed more than 10 times; "):
        _text(tmp_path / "a.html.p7m", data)


@pytest.mark.parametrize("content", [b"\x30\x03\x02\x01\x01", b"letters", _signed(b"")[:60], b""])
def test_a_file_that_is_not_signed(tmp_path: Path, content: bytes) -> None:
    """It says so, however much of it is there."""
    with pytest.raises(LoadError, match="; "):
        _text(tmp_path / "a.txt.p7m", content)


def test_a_signed_message_in_a_file(tmp_path: Path) -> None:
    """It is read as mail."""
    part = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    content = _signed(part + base64.b64encode(b"Price: 12,500."))
    assert _text(tmp_path / "smime.p7m", content) == "Price: 12,500."
