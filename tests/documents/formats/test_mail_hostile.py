from __future__ import annotations

import base64
import time

import pytest

from rag.documents.formats.mail import members_of_mail
from rag.documents.loaded import Loaded, Member
from rag.errors import LoadError
from rag.types import Failure


def _itself(data: bytes) -> Loaded:
    first = next(members_of_mail(data))
    assert isinstance(first, Member)
    assert first.name == ""
    assert isinstance(first.content, Loaded)
    return first.content


def _raw(header: str, body: bytes) -> bytes:
    start = b"Subject: S\r\nFrom: a@b.c\r\n"
    return start + header.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize("data", [b"", b"\n\nno header", b"Just a line of words.\nAnother."])
def test_what_is_no_mail(data: bytes) -> None:
    """Without a header it is refused."""
    with pytest.raises(LoadError, match="it has no header, so it is not a mail message; "):
        list(members_of_mail(data))


@pytest.mark.parametrize(
    "data",
    [
        _raw("Content-Type: multipart/mixed; boundary=x", b"no boundary anywhere"),
        _raw("Content-Type: multipart/mixed", b"no boundary given"),
        _raw("Content-Type: multipart/mixed; boundary=x", b"--x\r\n\r\nWords, cut off"),
        _raw("Content-Type: ;;;=\nContent-Disposition: =?x?=", b"Words."),
        _raw("Content-Disposition: attachment; filename*=nope''%ff; filename=\"", b"Words."),
        _raw("To: " + "a <b@c>, " * 5000, b"Words."),
        _raw("To: " + "(" * 2000, b"Words."),
        b"From: " + b"(" * 9000 + b"\r\n" + _raw("X: y", b"Words."),
        _raw("Content-Type: " + "a/b; x=" * 50_000, b"Words."),
        _raw("Content-Type: " + "(" * 1900, b"Words."),
        _raw("Content-Disposition: attachment; filename=" + "(" * 1900, b"Words."),
        _raw("Content-Type: multipart/alternative; boundary=x", b"--x\r\n\r\n \r\n--x--"),
        _raw("Content-Type: message/rfc822", b"Words."),
    ],
)
def test_broken_messages(data: bytes) -> None:
    """Whatever is broken, what can be read is read, and soon."""
    began = time.process_time()
    assert _itself(data).title == "S"
    assert all(isinstance(one, Member | Failure) for one in members_of_mail(data))
    assert time.process_time() - began < 10


@pytest.mark.no_cover  # how long it takes is looked at
def test_parts_in_each_other() -> None:
    """Versions of versions are told apart in time; thousands of them are refused."""
    words = b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(b"Words " * 2_000_000)

    def nested(levels: int) -> bytes:
        heads = (
            b"Content-Type: multipart/alternative; boundary=x%d\r\n\r\n--x%d\r\n" % (i, i)
            for i in range(levels)
        )
        return b"Subject: S\r\n" + b"".join(heads) + words

    began = time.process_time()
    assert _itself(nested(400)).text.count("Words") == 2_000_000
    assert time.process_time() - began < 15  # it was more than half a minute
    with pytest.raises(LoadError, match="its parts are nested too deeply; "):
        list(members_of_mail(nested(4_000)))


def test_a_part_that_is_no_text() -> None:
    """It is left out with a warning, and the rest is read."""
    loaded = _itself(_raw("Content-Type: text/plain", bytes(range(9)) * 50))
    assert loaded.text == "S\n\nFrom: a@b.c"
    (warning,) = loaded.warnings
    assert warning.startswith("a part of the message is left out: it holds no text, ")
