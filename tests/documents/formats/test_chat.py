from __future__ import annotations

import datetime as dt
import json

import pytest

from rag.documents.formats.chat import conversation
from rag.documents.formats.json_text import members_of_json
from rag.documents.formats.plain_text import load_plain
from rag.documents.loaded import Loaded, Member


def _load(value: object) -> Loaded:
    (member,) = members_of_json(json.dumps(value).encode())
    assert isinstance(member, Member)
    assert isinstance(member.content, Loaded)
    return member.content


def test_slack() -> None:
    """Names come from the messages of the day; labels stand for references, and & for itself."""
    ada = {"user": "U1", "user_profile": {"real_name": "Ada Lovelace"}}
    rich = [{"type": "text", "text": "Only here: "}, {"type": "link", "url": "https://x.org"}]
    section = {"type": "rich_text_section", "elements": rich}
    common = {"type": "message", "ts": "1709632800.000100"}
    link = "Tea &amp; talk <https://x.org|at nine> in <#C1|quay>, <!here>"
    loaded = _load(
        [
            {**common, **ada, "text": link, "files": [{"name": "a.xlsx", "title": "Plan"}]},
            {**common, "user": "U2", "text": "Fine, <@U1> &lt;3"},
            {**common, "user": "U2", "text": "", "blocks": [{"elements": [section]}]},
        ]
    )
    assert loaded.text.split("\n\n") == [
        "Ada Lovelace, 5 March 2024 10:00: Tea & talk at nine in #quay, @here\nPlan, a.xlsx",
        "U2, 5 March 2024 10:00: Fine, @Ada Lovelace <3",
        "U2, 5 March 2024 10:00: Only here: https://x.org",
    ]
    assert loaded.date == dt.date(2024, 3, 5)


def test_chatgpt() -> None:
    """Each conversation is a document, with its messages by time."""

    def node(role: str, time: float | None, *parts: object) -> dict[str, object]:
        content = {"content_type": "text", "parts": [*parts]}
        return {"message": {"author": {"role": role}, "create_time": time, "content": content}}

    mapping = {
        "root": {"message": None},
        "b": node("assistant", 1709632860.5, "Replace the tile.", {"asset_pointer": "file"}),
        "a": node("user", 1709632800, "My roof leaks."),
        "c": node("system", None, ""),
    }
    members = [*members_of_json(json.dumps([{"title": "Roof", "mapping": mapping}]).encode())]
    (loaded,) = (one.content for one in members if isinstance(one, Member))
    assert isinstance(loaded, Loaded)
    assert loaded.text.split("\n\n") == [
        *("Roof", "user, 5 March 2024 10:00: My roof leaks."),
        "assistant, 5 March 2024 10:01: Replace the tile.",
    ]
    assert (loaded.title, loaded.date) == ("Roof", dt.date(2024, 3, 5))


def test_times_with_and_without_a_zone() -> None:
    """Those without are in UTC, so that messages can be put in order."""
    moments = {"b": "2024-03-05T18:22:00", "a": "2024-03-05T19:21:00+01:00"}
    mapping = {
        name: {"message": {"author": {"role": name}, "create_time": moment, "content": "Hi"}}
        for name, moment in moments.items()
    }
    assert [one[0] for one in _load({"mapping": mapping}).text.split("\n\n")] == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {"name": "Crew", "messages": [
                {"type": "message", "date": "2024-03-05T18:22:10", "from": "Ada",
                 "text": ["At ", {"type": "bold", "text": "nine"}, "."]},
            ]},
            "Crew\n\nAda, 5 March 2024 18:22: At nine.",
        ),
        (
            {"name": "Crew", "chat_messages": [
                {"sender": "human", "created_at": "2024-03-05T18:22:10.1Z", "text": "At nine?"},
            ]},
            "Crew\n\nhuman, 5 March 2024 18:22: At nine?",
        ),
        (
            {"messages": [{"author": {"name": "Ada"}, "timestamp": "2024-03-05T18:22:10+01:00",
                           "content": "At nine"}]},
            "Ada, 5 March 2024 18:22: At nine",
        ),
        ({"messages": [{"role": "user", "content": "Hi"}]}, "user: Hi"),
        (
            {"messages": [{"sender_name": "Ada", "timestamp_ms": 1709632800000, "content": "Hi"}]},
            "Ada, 5 March 2024 10:00: Hi",
        ),
    ],
)  # fmt: skip
def test_other_exports(value: object, text: str) -> None:
    """Of Telegram, Claude, Discord, programs, and Facebook."""
    assert _load(value).text == text


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"messages": ["a", "b"]},
        {"messages": [{"text": "without an author"}]},
        [{"type": "message", "text": "of another program"}],
        {"mapping": {"a": 1, "b": {"message": 2}}},
        {"messages": [{"author": "a", "content": {"content": {"content": []}}}]},
    ],
)
def test_what_is_no_chat(value: object) -> None:
    """It is read as before."""
    assert conversation(value) is None


@pytest.mark.parametrize(
    ("lines", "first"),
    [
        (["[05.03.24, 18:22:10] Ada: Nine", "[06.03.24, 07:01:00] Ben: OK"], "5 March 2024 18:22"),
        (["05/03/2024, 18:22 - Ada: Nine", "13/03/2024, 07:01 - Ben: OK"], "5 March 2024 18:22"),
        (["3/5/24, 6:22 PM - Ada: Nine", "3/13/24, 7:01 AM - Ben: OK"], "5 March 2024 18:22"),
        (["05/03/2024 à 18:22 - Ada: Nine", "13/03/2024 à 07:01 - Ben: OK"], "5 March 2024 18:22"),
        (["05/03/2024 18:22 - Ada: Nine", "13/03/2024 07:01 - Ben: OK"], "5 March 2024 18:22"),
        (["2024/03/05, 18:22 - Ada: Nine", "2024/03/06, 07:01 - Ben: OK"], "5 March 2024 18:22"),
    ],
)  # fmt: skip
def test_whatsapp(lines: list[str], first: str) -> None:
    """The month is spelled out, so that it is found; marks of direction are left out."""
    (loaded,) = load_plain(f"\u200e{lines[0]}\nsharp\n{lines[1]}\n".encode())
    paragraphs = loaded.text.split("\n\n")
    assert paragraphs[0] == f"Ada, {first}: Nine\nsharp"
    assert paragraphs[1].startswith("Ben, ")
    assert paragraphs[1].endswith("March 2024 07:01: OK")


def test_days_that_may_be_months() -> None:
    """Dates that can be read in two ways stay as they are."""
    lines = "05/03/2024, 18:22 - Ada: Nine\n06/03/2024, 07:01 - Ben: OK"
    (loaded,) = load_plain(lines.encode())
    assert loaded.text == lines.replace("\n", "\n\n")


def test_long_messages() -> None:
    """A chat is one however many lines its messages have, and whatever begins it."""
    event = "13/03/2024, 18:20 - Ada added Ben"
    verse = "\n".join(["The tide comes in,"] * 9 + ["13/03/2024 07:00 at the latest."])
    lines = f"{event}\n13/03/2024, 18:22 - Ada: {verse}\n13/03/2024, 18:25 - Ben: OK"
    (loaded,) = load_plain(lines.encode())
    assert loaded.text.split("\n\n") == [
        *(event, f"Ada, 13 March 2024 18:22: {verse}", "Ben, 13 March 2024 18:25: OK"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "2024/03/13 18:22:10 - main: up",
        "[2024-03-13 18:22:10] main: up",
        "13.03.2024 18:22:10 x: y",
    ],
)
def test_logs_are_no_chats(line: str) -> None:
    """Their times stay as they are, to the second."""
    (loaded,) = load_plain(f"{line}\n{line}".encode())
    assert loaded.text == f"{line}\n\n{line}"
