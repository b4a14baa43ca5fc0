from __future__ import annotations

import time
from pathlib import Path

import pytest

from rag.documents.formats.mail import members_of_mailbox
from rag.documents.registry import load
from rag.errors import LoadError
from rag.types import Document


def _documents(path: Path) -> list[tuple[str, str]]:
    return [
        (
            one.source.removeprefix(str(path)),
            one.title if isinstance(one, Document) else one.reason,
        )
        for one in load(path)
    ]


MAILBOX = b"""\
From jane@example.org Wed Mar  5 10:00:00 2025
From: jane@example.org
Subject: First

Words of the first.

From here on, in March 2025, we drink tea.
>From the start of a line.

From - Thu Mar 06 10:00:00 2025
\xff\xfe broken, without any header
From MAILER-DAEMON Fri Mar 07 10:00:00 +0000 2025
From: bob@example.org
Subject: Third

Words of the third.
"""


@pytest.mark.parametrize("mailbox", [MAILBOX, MAILBOX.replace(b"\n", b"\r\n")])
def test_a_mailbox(tmp_path: Path, mailbox: bytes) -> None:
    """Each message is a document; a broken one costs itself alone."""
    path = tmp_path / "inbox.mbox"
    path.write_bytes(mailbox)
    assert _documents(path) == [
        ("/1.eml", "First"),
        ("/2.eml", "it has no header, so it is not a mail message; check its content"),
        ("/3.eml", "Third"),
    ]
    first = next(load(path))
    assert isinstance(first, Document)
    assert first.text.endswith(
        "Words of the first.\n\n"
        "From here on, in March 2025, we drink tea.\nFrom the start of a line."
    )


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_message_is_the_same_in_a_mailbox_and_by_itself(end: bytes) -> None:
    """So it is one document, and stays one when the mailbox grows or is kept elsewhere."""
    message = end.join([b"From: jane@example.org", b"", b"Words.", b"", b""])
    line = b"From jane@example.org Wed Mar  5 10:00:00 2025" + end
    members = list(members_of_mailbox((line + message + end) * 2 + line + message))
    assert [member.content for member in members] == [message] * 2 + [message.removesuffix(end)]


def test_a_line_that_could_be_many_dates() -> None:
    """It is one line of some message, and soon passed."""
    began = time.process_time()
    mailbox = MAILBOX + b"\nFrom " + b"Mon Jan " * 100_000 + b"\n"
    assert len(list(members_of_mailbox(mailbox))) == 3
    assert time.process_time() - began < 5  # it was five minutes


@pytest.mark.parametrize("data", [b"", b"From: jane@example.org\n\nWords."])
def test_what_is_no_mailbox(data: bytes) -> None:
    """Without a message it is refused."""
    with pytest.raises(LoadError, match="it has no messages, or "):
        list(members_of_mailbox(data))
