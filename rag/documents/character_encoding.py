"""Detect a text's character encoding and decode it."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from rag.documents.content import Content, pieces_of
from rag.documents.mojibake import most_plausible
from rag.errors import LoadError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "utf-32"),  # before UTF-16, whose BOM is a prefix of it
    (codecs.BOM_UTF32_BE, "utf-32-be", "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16"),
)

_SEVEN_BIT = frozenset({"iso2022_jp", "iso2022_kr", "hz"})
"""Encodings whose bytes are also valid UTF-8, so only a declaration can identify them."""

_NO_SCRIPTS = ("utf_16", "utf_32", "utf_7", "unicode_escape", "raw_unicode_escape", "punycode")
"""Declared encodings to ignore: UTF-16 would show by its zero bytes, UTF-7 is a known way to
smuggle markup, and the others are escape notations."""

_WESTERN, _TURKISH = "cp1252", "cp1254"
_NEARLY = 0.9
_USUAL = (_WESTERN, "mac_roman", "cp850", "cp437", "cp852", "cp1251", "cp866", "koi8_r", "cp932")
"""Encodings to compare a guess with: it is often wrong for a few words."""

_GUESSED = (
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258"),
    *("iso8859-2", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "cp874", "koi8-r", "koi8-u"),
    *("cp437", "cp850", "cp852", "cp857", "cp862", "cp866", "mac-roman", "mac-cyrillic"),
    *("mac-latin2", "mac-greek", "big5hkscs", "gb18030", "cp932", "euc_jis_2004", "cp949", "cp037"),
)
"""What files are in; all other encodings are so rare that a guess of them is wrong."""

_SUPERSETS = {
    "iso8859_1": _WESTERN,
    "latin_1": _WESTERN,
    "iso8859_9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_jp": "euc_jis_2004",
    "euc_kr": "cp949",
}
"""Supersets to use for declared encodings, as browsers do: files use the extra characters."""

_REPLACEMENT = "\ufffd"
_LEAST_RIGHT = 10
"""Minimum number of valid non-ASCII characters per invalid one for a text to count as damaged
UTF-8."""

_NO_TEXT = (
    "it holds no text, or none in a known encoding; "
    "give it the extension that matches its content, or save it as UTF-8 text"
)
_SAMPLE = 1 << 16
_GAPS = " \n\u3000\u3001\u3002\uff0c"
_LEAST_GAPS = 0.01
"""Minimum share of gaps among the characters of any text, even long Chinese sentences."""

_NEVER = frozenset({"Cc", "Cn", "Co", "Cs"})
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_JUNK_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a]")
_MOST_JUNK = 0.05
_JUNK = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class _Encoding:
    """A detected encoding: ``codec`` is Python's name for it, ``name`` the one to display,
    ``start`` the offset of the text after a byte order mark.
    """

    codec: str
    name: str
    errors: str = "replace"
    start: int = 0


def decode(data: bytes, declared: str | None = None) -> tuple[str, str]:
    """Decode ``data`` and return the text and the name of its encoding.

    In order of precedence: a byte order mark; UTF-8 if valid, or with a few invalid bytes, which
    become U+FFFD; ``declared``, the file's own declaration; chardet's best guess.

    Raises LoadError if the bytes are not text.
    """
    encoding = _encoding(data, declared)
    return data[encoding.start :].decode(encoding.codec, encoding.errors), encoding.name


def decoded_pieces(content: Content, declared: str | None = None) -> tuple[Iterator[str], str]:
    """As :func:`decode`, but yielding the text in pieces, for large files."""
    encoding = _encoding(content, declared)
    return _decode(content, encoding), encoding.name


def encoding_note(encoding: str) -> dict[str, str]:
    """Metadata that records an encoding, unless it is UTF-8."""
    return {} if encoding == "utf-8" else {"encoding": encoding}


def lines_of(pieces: Iterable[str]) -> Iterator[str]:
    """Split a text that comes in pieces into lines, at line feeds only, which are dropped."""
    unfinished: list[str] = []
    for piece in pieces:
        *lines, rest = piece.split("\n")
        for line in lines:
            yield "".join((*unfinished, line))
            unfinished.clear()
        unfinished.append(rest)
    if last := "".join(unfinished):
        yield last


def _decode(content: Content, encoding: _Encoding) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding.codec)(encoding.errors)
    for piece in pieces_of(content, encoding.start):
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _encoding(content: Content, declared: str | None) -> _Encoding:
    """Detect the encoding of a text; raises LoadError if it isn't text."""
    encoding = _detect(content, declared)
    beginning = ""
    for piece in _decode(content, encoding):
        beginning += piece
        if len(beginning) >= _SAMPLE:
            break
    beginning = beginning[:_SAMPLE]
    if len(_JUNK.findall(beginning)) > _MOST_JUNK * len(beginning):
        raise LoadError(_NO_TEXT)
    return encoding


def _detect(content: Content, declared: str | None) -> _Encoding:
    declared_codec = _codec_of(declared)
    for mark, codec, name in _MARKS:
        if content[: len(mark)] == mark:
            return _Encoding(codec, name, start=len(mark))
    sure = declared_codec if declared_codec in _SEVEN_BIT else _utf16_without_mark(content)
    if sure:
        return _Encoding(sure, sure)
    with suppress(UnicodeDecodeError):
        for _ in _decode(content, _Encoding("utf-8", "utf-8", "strict")):
            pass
        return _Encoding("utf-8", "utf-8", "strict")
    damaged = _Encoding("utf-8", "utf-8, damaged")
    wrong = beyond = 0
    for text in _decode(content, damaged):
        wrong += text.count(_REPLACEMENT)
        beyond += len(text) - len(text.encode("ascii", "ignore"))
    if _LEAST_RIGHT * wrong < beyond:
        return damaged
    if declared_codec and declared_codec not in ("utf_8", "ascii"):
        return _Encoding(declared_codec, declared_codec)
    guessed = _guess(content)
    return _Encoding(guessed, guessed)


def _codec_of(declared: str | None) -> str | None:
    """Python's codec name for a declared encoding, or for the superset to use in its place."""
    if declared is None:
        return None
    try:
        name = codecs.lookup(declared).name.replace("-", "_")
        b"a".decode(name, "replace")
    except (LookupError, ValueError):  # unknown, not a text encoding, or Python's "undefined"
        return None
    if name.startswith(_NO_SCRIPTS):
        return None
    return _SUPERSETS.get(name, name)


def _utf16_without_mark(data: Content) -> str | None:
    """Detect UTF-16 without a byte order mark. In Western text every other byte is zero. In other
    scripts only spaces, line ends and full stops show it, but these byte pairs never occur by
    chance in single-byte text.
    """
    sample = data[: _SAMPLE - _SAMPLE % 2]
    pairs = len(sample) // 2
    low, high = sample[0::2].count(0), sample[1::2].count(0)
    if high > 0.3 * pairs and low < 0.05 * pairs:
        return "utf-16-le"
    if low > 0.3 * pairs and high < 0.05 * pairs:
        return "utf-16-be"
    if len(data) % 2 or not _JUNK_BYTES.search(sample):
        return None
    gaps = {order: _gaps_in(sample, order) for order in ("utf-16-le", "utf-16-be")}
    best = max(gaps, key=lambda order: gaps[order])
    return best if gaps[best] > max(_LEAST_GAPS * pairs, 2 * min(gaps.values())) else None


def _gaps_in(sample: bytes, order: str) -> int:
    """Number of gaps between words or sentences; 0 if it can't be this encoding."""
    if sample[-1 if order == "utf-16-le" else -2] in range(0xD8, 0xDC):  # half a surrogate pair
        sample = sample[:-2]
    try:
        text = sample.decode(order)
    except UnicodeDecodeError:
        return 0
    if any(unicodedata.category(c) in _NEVER for c in set(text) - {"\t", "\n", "\r", "\f"}):
        return 0
    return sum(text.count(gap) for gap in _GAPS)


def _first_beyond_ascii(content: Content) -> int:
    at = 0
    for piece in pieces_of(content):
        if found := _BEYOND_ASCII.search(piece):
            return at + found.start()
        at += len(piece)
    return 0


def _guess(content: Content) -> str:
    """Guess the encoding of non-UTF-8 text from a stretch that has non-ASCII characters."""
    import chardet

    # Start and stop at line ends, so that no multi-byte character is cut.
    at = _first_beyond_ascii(content)
    start = max(content.rfind(b"\n", 0, at) + 1, at - _SAMPLE // 2) if at >= _SAMPLE else 0
    sample = content[start : start + _SAMPLE]
    if len(content) > start + _SAMPLE:
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    found = chardet.detect_all(sample, include_encodings=_GUESSED)
    guesses = {
        codec: one["confidence"] for one in found if (codec := _codec_of(one["encoding"] or None))
    }
    if not guesses:
        raise LoadError(_NO_TEXT)
    best = max(guesses, key=lambda codec: guesses[codec])
    if best != _TURKISH and guesses.get(_WESTERN, 0) >= _NEARLY * guesses[best]:
        best = _WESTERN  # by far more likely
    best = most_plausible(sample, (best, *_USUAL)) or best
    is_same = sample.decode(best, "replace") == sample.decode(_WESTERN, "replace")
    return _WESTERN if is_same else best
