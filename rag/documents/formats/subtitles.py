"""Subtitles: SubRip (SRT), WebVTT, SubViewer of YouTube (SBV), and SubStation Alpha (ASS)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from rag.documents.character_encoding import decoded_pieces, encoding_note, lines_of
from rag.documents.content import Content
from rag.documents.loaded import Block, Loaded
from rag.documents.metadata import Metadata
from rag.documents.whitespace import one_line

_TIMING = re.compile(r"\s*((?:\d+:)?\d{1,2}:\d{2})[.,]\d{1,3}\s*(?:-->|,).*", re.DOTALL)
_DIALOGUE = re.compile(r"Dialogue:[^,]*,(\d+:\d\d:\d\d)(?:[^,]*,){3}([^,]*)(?:,[^,]*){4},(.*)")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s([^>]{1,100})>")
_TAG = re.compile(
    r"</?(?:[biuscv]|font|lang|ruby|rt|br|span|em|strong)(?:[.\s/][^<>]{0,100})?>"
    r"|<[\d:.]{5,20}>|\{\\[^}]{0,100}\}",
    re.IGNORECASE,
)
_SCRIPT, _SCRIPT_TITLE = "[Script Info]", "Title:"
"""First line of a file of SubStation Alpha, and the setting that is shown."""

_END_OF_SENTENCE = re.compile(r"[.?!…。？！][\"”’»)\]]*$")  # noqa: RUF001 (Chinese)
_MOST_LINES = 1_000
"""Number of lines after which a cue is cut, so that memory stays bounded."""

_LONG, _LONGEST = 400, 1_000
"""Length in characters from which a paragraph ends with a sentence, or anywhere."""


def load_subtitles(content: Content) -> Iterator[Loaded]:
    """Load subtitles as running text, in parts if long.

    Each paragraph begins with the time at which it is shown, such as ``00:12:40``; numbers and
    further times are left out, since they would break sentences.

    Raises LoadError if the bytes are not text.
    """
    pieces, encoding = decoded_pieces(content)
    lines = (one for line in lines_of(pieces) for one in line.removesuffix("\r").split("\r"))
    return Metadata().in_parts(_paragraphs(_without_settings(lines)), notes=encoding_note(encoding))


def _paragraphs(lines: Iterator[str]) -> Iterator[Block]:
    gathered, size = [""], 0
    for time, words in _cues(lines):
        if not time or size > _LONGEST:
            yield Block(" ".join(gathered))
            gathered, size = [], 0
        if time and not size:
            gathered = [time]
        gathered.append(words)
        size += len(words)
        if not time or (size > _LONG and _END_OF_SENTENCE.search(words)):
            yield Block(" ".join(gathered))
            gathered, size = [], 0
    yield Block(" ".join(gathered))


def _cues(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Time and words of each cue; a title or a note has no time."""
    for _, group in groupby(lines, key=lambda line: bool(line.strip())):
        time, words = "", list[str]()
        for number, line in enumerate(group):
            dialogue = _DIALOGUE.fullmatch(line)
            if words and (dialogue or len(words) > _MOST_LINES):
                yield time, one_line(" ".join(words))
                words = []
            if dialogue:
                speaker = f"{dialogue[2]}: " if dialogue[2] else ""
                yield dialogue[1], one_line(speaker + _TAG.sub("", dialogue[3]).replace("\\N", " "))
            elif timing := _TIMING.fullmatch(line):
                if words and (number == 1 or words[-1].strip().isdecimal()):
                    words.pop()
                if time:  # no empty line stands between this cue and the one before
                    yield time, one_line(" ".join(words))
                    words = []
                time = timing[1]
            else:
                words.append(_TAG.sub("", _VOICE.sub(r"\1: ", line)))
        if text := _text(time, words):
            yield time, text


def _text(time: str, words: list[str]) -> str:
    if not time and words:
        if words[0] in ("STYLE", "REGION"):
            return ""
        words[0] = words[0].removeprefix("WEBVTT").lstrip("- ")
    return one_line(" ".join(words))


def _without_settings(lines: Iterable[str]) -> Iterator[str]:
    """Leave out what is no dialogue of SubStation Alpha, except its title."""
    is_script = False
    for line in lines:
        is_script = is_script or line.strip() == _SCRIPT
        if not is_script or not line.strip() or line.startswith("Dialogue:"):
            yield line
        elif line.startswith(_SCRIPT_TITLE):
            yield line.removeprefix(_SCRIPT_TITLE)
