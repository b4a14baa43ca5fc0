from __future__ import annotations

import base64
import datetime as dt
import hashlib
import time
from email.message import EmailMessage
from pathlib import Path

import pytest
from many_files import zipped

from rag.documents.formats.mail import members_of_mail, members_of_mailbox
from rag.documents.loaded import Loaded, Member
from rag.documents.read_options import ONLY_A_PICTURE
from rag.documents.registry import load
from rag.errors import LoadError
from rag.types import Document, Failure


def _head(subject: str = "Tea") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "Jane Doe <jane@example.org>"
    message["To"] = "Zoë <zoe@example.org>, bob@example.org"
    message["Date"] = "Wed, 05 Mar 2025 23:30:00 -0800"
    return message


def _itself(data: bytes) -> Loaded:
    first = next(members_of_mail(data))
    assert isinstance(first, Member)
    assert first.name == ""
    assert isinstance(first.content, Loaded)
    return first.content


def _said(data: bytes) -> str:
    """What the message says, below its head."""
    return _itself(data).text.partition("\n\n")[2].partition("\n\n")[2]


def _raw(header: str, body: bytes) -> bytes:
    start = b"Subject: S\r\nFrom: a@b.c\r\n"
    return start + header.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


def _documents(path: Path) -> list[tuple[str, str]]:
    return [
        (
            one.source.removeprefix(str(path)),
            one.title if isinstance(one, Document) else one.reason,
        )
        for one in load(path)
    ]


def test_a_message() -> None:
    """Subject, people and date are title, metadata and a readable head."""
    message = _head("Größere Mengen Tee")
    message["Cc"] = "carl@example.org"
    message.set_content("Dear Zoë,\n\nthe tea is here.\n")
    loaded = _itself(message.as_bytes())
    assert (
        loaded.text
        == """\
Größere Mengen Tee

From: Jane Doe <jane@example.org>
To: Zoë <zoe@example.org>, bob@example.org
Cc: carl@example.org
Date: 2025-03-05

Dear Zoë,

the tea is here."""
    )
    assert loaded.title == "Größere Mengen Tee"
    assert loaded.date == dt.date(2025, 3, 5)
    assert loaded.metadata == {
        "from": "Jane Doe <jane@example.org>",
        "to": "Zoë <zoe@example.org>, bob@example.org",
        "cc": "carl@example.org",
        "author": "Jane Doe",
        "title_from": "file",
        "author_from": "file",
        "date_from": "file",
    }
    assert [heading.span.of(loaded.text) for heading in loaded.headings] == ["Größere Mengen Tee"]


def test_plain_text_before_a_page() -> None:
    """Of two versions the plain one is read; an empty one doesn't count."""
    message = _head()
    message.set_content("The plain words.")
    message.add_alternative("<p>The words of the page.</p>", subtype="html")
    assert _said(message.as_bytes()) == "The plain words."
    message = _head()
    message.set_content(" \n")
    message.add_alternative("<h2>Tea</h2><p>The words of the page.</p>", subtype="html")
    loaded = _itself(message.as_bytes())
    assert loaded.text.endswith("\n\nTea\n\nThe words of the page.")
    assert [(one.level, one.span.of(loaded.text)) for one in loaded.headings] == [
        (1, "Tea"),
        (2, "Tea"),
    ]
    assert loaded.headings[1].span.start > loaded.text.index("Date:")


@pytest.mark.parametrize(
    ("header", "body", "said"),
    [
        (
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable",
            b"Caf=C3=A9 and a long =\r\nline.",
            "Café and a long line.",
        ),
        (
            "Content-Type: text/plain; charset=shift_jis\nContent-Transfer-Encoding: base64",
            b"k/qWe4zqgsyDgYFbg4s=",
            "日本語のメール",
        ),
        ("Content-Type: text/plain; charset=iso-8859-1", b"\x93Caf\xe9\x94 10 \x80", "“Café” 10 €"),
        (
            "Content-Type: text/plain; charset=nonsense",
            b"Caf\xe9 cr\xe8me br\xfbl\xe9e",
            "Café crème brûlée",
        ),
        (
            "Content-Type: text/plain; charset=iso-2022-jp",
            "これはメール".encode("iso2022_jp"),
            "これはメール",
        ),
        ("Content-Type: text/plain; charset=gb2312", "镕基的信".encode("gbk"), "镕基的信"),
        (
            "Content-Type: text/html; charset=iso-2022-jp",
            '<meta charset="iso-2022-jp"><p>これはメール</p>'.encode("iso2022_jp"),
            "これはメール",
        ),
        (
            "Content-Type: text/html",
            b'<meta charset="cp1251"><p>' + "Привет".encode("cp1251"),
            "Привет",
        ),
        (
            "Content-Type: text/plain; format=flowed",
            b"A line that \r\ngoes on.\r\n> quoted \r\n> twice\r\n-- \r\nJane",
            "A line that goes on.\n> quoted\n> twice\n--\nJane",
        ),
        (
            "Content-Type: text/plain; charset=utf-8; format=Flowed; DelSp=Yes",
            "これは \r\nメール  \r\nby Jane".encode(),
            "これはメール by Jane",
        ),
        ("Content-Transfer-Encoding: base64", b"V29yZHM!*", "Words"),
        ("X: no type at all", b"Just words.", "Just words."),
    ],
)
def test_encodings_of_the_body(header: str, body: bytes, said: str) -> None:
    """However it was packed for the journey, and whatever the header claims."""
    loaded = _itself(_raw(header, body))
    assert loaded.text.removeprefix("S\n\nFrom: a@b.c\n\n") == said


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        (b"=?utf-8?B?R3LDvMOfZQ==?=", "Grüße"),
        (b"=?iso-8859-1?Q?Gr=FC=DFe?=", "Grüße"),
        ("Grüße aus Köln".encode("cp1252"), "Grüße aus Köln"),
        ("Grüße".encode(), "Grüße"),
        (b"=?utf-8?B?broken", "=?utf-8?B?broken"),
        (b"folded\r\n over lines", "folded over lines"),
    ],
)
def test_encodings_of_the_subject(written: bytes, subject: str) -> None:
    """Encoded words, bare bytes, and what is broken."""
    assert _itself(b"From: a@b.c\r\nSubject: " + written + b"\r\n\r\nWords.").title == subject


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("Wed, 05 Mar 2025 10:00:00 GMT", dt.date(2025, 3, 5)),
        ("5 Mar 25 10:00 +0100 (CET)", dt.date(2025, 3, 5)),
        ("yesterday", None),
        ("Wed, 99 Mar 2025 10:00:00 GMT", None),
        ("", None),
    ],
)
def test_dates(written: str, date: dt.date | None) -> None:
    """The day that the sender's clock showed, or none."""
    assert _itself(f"From: a@b.c\nDate: {written}\n\nWords.".encode()).date == date


def test_without_a_subject() -> None:
    """The sender makes the title."""
    assert _itself(b"From: Jane <a@b.c>\n\nWords.").title == "Mail from Jane <a@b.c>"
    loaded = _itself(b"Date: today\n\nWords.")
    assert loaded.title is None
    assert loaded.metadata == {}


@pytest.mark.parametrize(
    ("written", "language"), [("de-CH", "de-CH"), ("en, de", None), ("German words", None)]
)
def test_languages(written: str, language: str | None) -> None:
    """What the message says it is in, if that is one language."""
    metadata = _itself(f"From: a@b.c\nContent-Language: {written}\n\nWords.".encode()).metadata
    assert metadata.get("language") == language
    assert metadata.get("language_from") == ("file" if language else None)


def test_attachments_are_documents(tmp_path: Path) -> None:
    """Each has its own source and digest; pictures of the page and signatures are none."""
    message = _head()
    message.set_content("See the notes.")
    message.add_alternative("<p>See <img src='cid:logo'></p>", subtype="html")
    page = message.get_payload()[1]  # type: ignore[index]
    page.add_related(b"\x89PNG", "image", "png", cid="<logo>")  # type: ignore[union-attr]
    message.add_attachment("Words of the notes.", filename="../../notes für dich.txt")
    message.add_attachment("Words of the same name.", filename="notes für dich.txt")
    message.add_attachment(b"\x89PNG\r\n\x1a\n", "image", "png", filename="photo.png")
    message.add_attachment(b"sig", "application", "pgp-signature", filename="signature.asc")
    message.add_attachment("a,b\n1,2", subtype="markdown")
    packed = zipped({"inner.txt": b"Words in an archive."})
    message.add_attachment(packed, "application", "zip", filename="more.zip")
    path = tmp_path / "mail.eml"
    path.write_bytes(message.as_bytes())
    assert _documents(path) == [
        ("", "Tea"),
        ("/notes für dich.txt", "Words of the notes."),
        ("/notes für dich (2).txt", "Words of the same name."),
        ("/photo.png", ONLY_A_PICTURE),
        ("/part 4.md", "a,b 1,2"),
        ("/more.zip/inner.txt", "Words in an archive."),
    ]
    itself, notes, *_ = load(path)
    assert isinstance(itself, Document)
    assert isinstance(notes, Document)
    assert itself.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert notes.digest == hashlib.sha256(b"Words of the notes.\n").hexdigest()


def test_messages_in_messages(tmp_path: Path) -> None:
    """A forwarded message is a member of its own, with what was attached to it."""
    inner = _head("Old/news")
    inner.set_content("What was said before.")
    inner.add_attachment("Words of the notes.", filename="notes.txt")
    outer = _head("Fwd")
    outer.set_content("See below.")
    outer.add_attachment(inner)
    path = tmp_path / "mail.eml"
    path.write_bytes(outer.as_bytes())
    assert _documents(path) == [
        ("", "Fwd"),
        ("/Old-news.eml", "Old/news"),
        ("/Old-news.eml/notes.txt", "Words of the notes."),
    ]
    assert "What was said before." not in _itself(outer.as_bytes()).text


def test_several_texts_are_one() -> None:
    """Words before and after a picture, or a mailing list's footer, all count."""
    message = _head()
    message.set_content("Before.")
    message.make_mixed()
    footer = EmailMessage()
    footer.set_content("After.")
    message.attach(footer)
    assert _said(message.as_bytes()) == "Before.\n\nAfter."


def test_sealed_messages_say_so() -> None:
    """What is encrypted is a Failure; the head is read."""
    data = _raw('Content-Type: multipart/encrypted; boundary="x"', b"--x\r\n\r\nabc\r\n--x--")
    itself, sealed = members_of_mail(data)
    assert isinstance(itself, Member)
    assert sealed == Failure(
        "part 1", "it is encrypted; decrypt it in your mail program and save it from there"
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("C:\\\\Users\\\\jane\\\\notes.txt", "notes.txt"),
        ("..txt", "txt.txt"),
        ("a" * 300 + ".txt", "a" * 120 + ".txt"),
        ("b" * 300, "b" * 120 + ".txt"),
        ("", "part 1.txt"),
    ],
)
def test_names_of_attachments(name: str, shown: str) -> None:
    """What a sender put before a name leads nowhere; no name is endless or missing."""
    header = f'Content-Disposition: attachment; filename="{name}"'
    _, attached = members_of_mail(_raw(header, b"Words."))
    assert attached == Member(shown, b"Words.")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (b'"=?utf-8?Q?Gr=C3=BC=C3=9Fe.txt?="', "Grüße.txt"),
        (b"=?utf-8?Q?Gr=C3=BC=C3=9Fe.txt?=", "Grüße.txt"),
        ('"Grüße.txt"'.encode(), "Grüße.txt"),
        (b"two words.txt", "two words.txt"),
        (b'never closed.txt"', "never closed.txt"),
    ],
)
def test_names_against_the_standard(written: bytes, name: str) -> None:
    """As many programs write them: in encoded words, bare bytes or without quotation marks."""
    header = b"Subject: S\r\nContent-Disposition: attachment; filename=" + written
    _, attached = members_of_mail(header + b"\r\n\r\nWords.")
    assert attached == Member(name, b"Words.")


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
