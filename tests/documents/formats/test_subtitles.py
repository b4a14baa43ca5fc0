from __future__ import annotations

from rag.documents.formats.subtitles import load_subtitles


def _text(source: str) -> str:
    return "\n\n".join(one.text for one in load_subtitles(source.encode()))


def test_sentences_run_over_cues() -> None:
    """A paragraph begins with its time; numbers, other times and styles are left out."""
    source = (
        "1\r\n00:00:01,000 --> 00:00:04,000\r\nWelcome to the\r\n<i>harbour</i> tour.\r\n\r\n"
        "2\r\n00:00:05,000 --> 00:00:06,000\r\nOn the left you see\r\n\r\n"
        "3\r\n00:00:07,000 --> 00:00:08,000\r\n1984\r\nand the {\\an8}crane.\r\n"
    )
    assert _text(source) == (
        "00:00:01 Welcome to the harbour tour. On the left you see 1984 and the crane."
    )


def test_paragraphs_end_with_sentences() -> None:
    """After some hundred characters."""
    words = f"is {'very ' * 25}red."
    cues = (f"{n}\n00:0{n}:00,5 --> 00:0{n}:09,0\nBuoy {n} {words}\n" for n in range(1, 9))
    paragraphs = _text("\n".join(cues)).split("\n\n")
    assert [one[9:15] for one in paragraphs] == ["Buoy 1", "Buoy 4", "Buoy 7"]
    assert all(one.endswith("red.") for one in paragraphs)


def test_web_subtitles() -> None:
    """Voices are names; a title and a note are paragraphs of their own, in their place."""
    source = (
        "WEBVTT - Harbour\n\nSTYLE\n::cue { color: red }\n\n"
        "intro\n00:01.000 --> 00:04.000 align:start\n<v Ada>Welcome</v> <00:02.000><c>all</c>\n\n"
        "NOTE by Ben\n\n1:00:05.000 --> 1:00:06.000\nHere we are."
    )
    assert _text(source).split("\n\n") == [
        "Harbour",
        "00:01 Ada: Welcome all",
        "NOTE by Ben",
        "1:00:05 Here we are.",
    ]


def test_other_subtitles() -> None:
    """Of YouTube, and with styles."""
    assert _text("0:00:01.000,0:00:04.000\nWelcome to\n\n0:00:05.000,0:00:06.000\nthe tour.") == (
        "0:00:01 Welcome to the tour."
    )
    line = "Dialogue: 0,0:00:0{},0:00:09.00,Default,{},0,0,0,,{}\n"
    header = (
        "[Script Info]\nTitle: Harbour\nPlayResX: 640\n\n[V4+ Styles]\nFormat: Name, Fontname\n"
        "Style: Default,Arial\n\n[Events]\nFormat: Layer, Start, End\n"
    )
    lines = line.format("1.50", "Ada", "{\\i1}Welcome,\\Nall") + line.format("5.00", "", "to us.")
    assert _text(header + lines).split("\n\n") == [
        "Harbour",
        "0:00:01 Ada: Welcome, all to us.",
    ]


def test_cues_without_empty_lines() -> None:
    """Each timing begins another, and the number before it isn't said."""
    source = (
        "1\n00:00:01,000 --> 00:00:04,000\nWelcome to\n2\n00:00:05,000 --> 00:00:06,000\n"
        "the tour.\nIt is 1984.\n00:00:07,000 --> 00:00:08,000\nLook."
    )
    assert _text(source) == "00:00:01 Welcome to the tour. It is 1984. Look."


def test_less_than_is_no_tag() -> None:
    """Only tags of subtitles are left out."""
    words = "I <3 you, she -> he said. <a kiss> x<b and <FONT color='red'>c>b</FONT></v>"
    source = f"1\n00:00:01,000 --> 00:00:04,000\n{words}"
    assert _text(source) == "00:00:01 I <3 you, she -> he said. <a kiss> x<b and c>b"
