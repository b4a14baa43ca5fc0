from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import LoadError
from rag.loaders import load
from rag.loaders.mail import members_of_mailbox
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
        ("/2.eml", "it has no header, so it is no mail; check what it holds"),
        ("/3.eml", "Third"),
    ]
    first = next(load(path))
    assert isinstance(first, Document)
    assert first.text.endswith(
        "Words of the first.\n\n"
        "From here on, in March 2025, we drink tea.\nFrom the start of a line."
    )


@pytest.mark.parametrize("data", [b"", b"From: jane@example.org\n\nWords."])
def test_what_is_no_mailbox(data: bytes) -> None:
    """Without a message it is refused."""
    with pytest.raises(LoadError, match="it holds no messages, or "):
        list(members_of_mailbox(data))
