"""What is tried with hostile input: each target takes any bytes, and raises only for a bug.

An input of a zipped format is one part of a small file: two bytes say of which file and which
part, and the rest is what the part holds. So mutations reach the parser, not the zip.
"""

from __future__ import annotations

import functools
import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import archive_target
import numpy as np
import small_files as files
from oracles import (
    document_is_sound,
    headings_are_sound,
    is_covered,
    is_storable,
    loaded_is_sound,
    member_is_sound,
    passages_are_sound,
)
from small_packages import PACKAGES

from rag.documents.archives import members_of_compressed, members_of_tar, members_of_zip
from rag.documents.character_encoding import decode
from rag.documents.formats.docx import load_docx
from rag.documents.formats.epub import load_epub
from rag.documents.formats.html import load_html
from rag.documents.formats.json_text import members_of_json, members_of_json_lines
from rag.documents.formats.mail import members_of_mail, members_of_mailbox
from rag.documents.formats.markdown import load_markdown
from rag.documents.formats.opendocument import load_odp, load_ods, load_odt
from rag.documents.formats.plain_text import load_plain
from rag.documents.formats.pptx import load_pptx
from rag.documents.formats.rst import load_rst
from rag.documents.formats.rtf import load_rtf
from rag.documents.formats.spreadsheet import load_csv, load_xlsx
from rag.documents.loaded import Loaded, Member
from rag.documents.pdf.loader import load_pdf
from rag.documents.registry import load
from rag.documents.whitespace import one_line, tidy
from rag.errors import EmptyQuestion, LoadError
from rag.search import citations
from rag.text import query_parser
from rag.text.analyzers import Analysis
from rag.text.chunking import passages
from rag.text.sentences import paragraphs, sentences
from rag.types import Document, Explanation, Failure, Heading, Hit, Quote, Span
from rag.types.arrays import Offsets

Run = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Target:
    """``run`` raises where something is wrong; ``seeds`` are what mutations begin with."""

    run: Run
    seeds: Sequence[bytes]
    is_xml: bool = False


def _loader(load_it: Callable[[bytes], Loaded | Iterator[Loaded]]) -> Run:
    def run(data: bytes) -> None:
        with suppress(LoadError):
            loaded = load_it(data)
            for one in [loaded] if isinstance(loaded, Loaded) else loaded:
                loaded_is_sound(one)

    return run


def _container(members: Callable[[bytes], Iterator[Member | Failure]]) -> Run:
    def run(data: bytes) -> None:
        with suppress(LoadError):
            for member in members(data):
                member_is_sound(member)

    return run


def _package(kind: str, load_it: Callable[[bytes], Loaded]) -> Target:
    packages = PACKAGES[kind]
    loads = _loader(load_it)

    def run(data: bytes) -> None:
        if len(data) > 1:
            parts = packages[data[0] % len(packages)]
            name = [*parts][data[1] % len(parts)]
            loads(files.zipped({**parts, name: data[2:]}))

    inputs = [
        bytes([file, part]) + content
        for file, parts in enumerate(packages)
        for part, content in enumerate(parts.values())
    ]
    return Target(run, inputs, is_xml=True)


_SUFFIXES = (
    *("", ".txt", ".md", ".html", ".rst", ".csv", ".pdf", ".docx", ".rtf", ".pptx", ".xlsx"),
    *(".odt", ".epub", ".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".eml", ".mbox", ".json"),
    *(".jsonl", ".doc", ".png"),
)


@functools.cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="rag-fuzz-"))


def _run_file(data: bytes) -> None:
    """A whole file under any name, through to passages: the first byte says which ending."""
    suffix = _SUFFIXES[data[0] % len(_SUFFIXES)] if data else ""
    path = _folder() / f"file{suffix}"
    path.write_bytes(data[1:])
    with suppress(LoadError):
        for one in load(path):
            document_is_sound(one)
            if isinstance(one, Document):
                passages_are_sound(one, passages(one, _Words(50)))


def _run_decoding(data: bytes) -> None:
    declared = data[1 : 1 + data[0] % 16].decode("latin-1") if data else None
    with suppress(LoadError):
        text, encoding = decode(data, declared)
        is_storable([tidy(text), one_line(text), encoding])
        once = tidy(text)
        assert tidy(once) == once, "tidying again changes something"
        assert unicodedata.is_normalized("NFC", once), "not in form NFC"


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


def _run_sentences(data: bytes) -> None:
    text = _text(data)
    for paragraph in paragraphs(text):
        is_covered(text, [*sentences(text, paragraph)], paragraph)


@dataclass(frozen=True, slots=True)
class _Words:
    """A tokenizer with a window of any size: each word and each mark is a token."""

    window: int

    def tokens(self, text: str) -> Offsets:
        found = [match.span() for match in re.finditer(r"\w{1,5}|[^\w\s]", text)]
        return np.array(found, dtype=np.int64).reshape(-1, 2)


def _run_chunking(data: bytes) -> None:
    """Lines that begin with a hash are headings; the first byte is the window."""
    text = tidy(data[1:].decode("utf-8", "replace"))
    lines = [Span(*found.span()) for found in re.finditer(r"(?<!.)#.*", text)]
    headings = tuple(
        Heading(line, 1 + len(line) % 6)
        for line in lines
        if one_line(line.of(text)) == line.of(text)
    )
    headings_are_sound(text, headings)
    document = Document("d", "s", "t", text, "d", headings=headings)
    tokenizer = _Words(1 + (data[0] if data else 0))
    found = passages(document, tokenizer)
    passages_are_sound(document, found)
    for one in found:
        assert len(tokenizer.tokens(one.text)) <= tokenizer.window, "beyond the window"


def _run_asking(data: bytes) -> None:
    """A question: any text can be read."""
    query = query_parser.parse(_text(data))
    is_storable([query.question, query.words, *query.clauses.phrases, *query.clauses.without])
    is_storable(query_parser.describe(query, ()))


@functools.cache
def _analysis() -> Analysis:
    return Analysis(("en", "tr", "plain"))


def _run_words(data: bytes) -> None:
    """Words of a text, as they are looked up and as they are marked."""
    text = tidy(_text(data))
    analysis = _analysis()
    analysis.words(text)
    analysis.phrase(text)
    assert all(asked in text for asked in analysis.spellings(text))
    for span in analysis.places(text, [text], text):
        assert span.of(text).strip(), "a place without a word"
    analysis.indexed(text, "tr")


_CITED = "Opening words.\n\nIndia buys the tank. Its turret  is light.\n\nIndia buys the tank."


def _hits(question: str, count: int) -> list[Hit]:
    """What any library may answer: that there is no question, or a hit."""
    if not any(map(str.isalnum, query_parser.parse(question).question)):
        raise EmptyQuestion(question)
    end = len(_CITED)
    answer = Quote(_CITED[:14], 0, 14)
    why = Explanation(0.5, 0.5, 0.5, 1, 1, ())
    return [Hit(_CITED, "t", "s", None, None, (), "d", "p", 0, end, 1, 0.5, answer, why)][:count]


def _run_citing(data: bytes) -> None:
    """A link that anybody may have written: numbers, and words of any kind."""
    document = Document("d", "s", "t", _CITED, "d")
    start, end = (int.from_bytes(data[at : at + 8], "little", signed=True) for at in (0, 8))
    named, words = "de"[data[16] % 2] if data[16:] else "d", data[17:].decode("utf-8", "replace")
    digest = citations.cited("d", Quote(words, 0, 1)).digest
    citation = citations.Citation(named, start, end, digest, words)
    followed = citations.follow(citation, {"d": document}.get, _hits)
    if quote := followed.quote:
        assert 0 <= quote.start < quote.end <= len(_CITED), "a quotation beyond the text"
        assert _CITED[quote.start : quote.end] == quote.text, "a quotation that lies"


_CITATIONS = [
    *(at.to_bytes(8, "little") + (at + 20).to_bytes(8, "little") + b"\1India buys the tank."
      for at in (0, 16, 59, 2**40)),
    (7).to_bytes(8, "little") + (2**60).to_bytes(8, "little") + bytes(1) + b"Its turret is light.",
    bytes(17),
]  # fmt: skip


def _suffixed(*some: tuple[str, Sequence[bytes]]) -> list[bytes]:
    return [bytes([_SUFFIXES.index(suffix)]) + one for suffix, inputs in some for one in inputs]


TARGETS: Mapping[str, Target] = {
    "decoding": Target(_run_decoding, [*files.ENCODINGS, *files.TEXT_BYTES]),
    "plain": Target(_loader(load_plain), [*files.ENCODINGS, *files.TEXT_BYTES]),
    "markdown": Target(_loader(load_markdown), files.MARKDOWN),
    "html": Target(_loader(load_html), files.HTML),
    "rst": Target(_loader(load_rst), files.RST),
    "csv": Target(_loader(load_csv), files.CSV),
    "rtf": Target(_loader(load_rtf), files.RTF),
    "pdf": Target(_loader(load_pdf), files.PDF),
    "docx": _package("docx", load_docx),
    "pptx": _package("pptx", load_pptx),
    "xlsx": _package("xlsx", load_xlsx),
    "odt": _package("odt", load_odt),
    "odp": _package("odp", load_odp),
    "ods": _package("ods", load_ods),
    "epub": _package("epub", load_epub),
    "eml": Target(_container(members_of_mail), files.EML),
    "mbox": Target(_container(members_of_mailbox), files.MBOX),
    "json": Target(_container(members_of_json), files.JSON),
    "jsonl": Target(_container(members_of_json_lines), files.JSON_LINES),
    "zip": Target(_container(members_of_zip), files.ZIP),
    "tar": Target(_container(members_of_tar), files.TAR),
    "gzip": Target(_container(members_of_compressed), files.COMPRESSED),
    "bzip2": Target(_container(members_of_compressed), files.COMPRESSED),
    "xz": Target(_container(members_of_compressed), files.COMPRESSED),
    "file": Target(
        _run_file,
        _suffixed(
            *(("", [*files.ENCODINGS, *files.EML, *files.MBOX]), (".txt", files.TEXT_BYTES)),
            *((".md", files.MARKDOWN), (".html", files.HTML), (".rtf", files.RTF)),
            *((".zip", files.ZIP), (".tar", files.TAR), (".tgz", files.COMPRESSED)),
            *((".docx", files.WHOLE[:1]), (".pdf", files.PDF[:1]), (".jsonl", files.JSON_LINES)),
        ),
    ),
    "sentences": Target(_run_sentences, files.TEXT_BYTES),
    "chunking": Target(
        _run_chunking, [b"\x09# A\n\n" + one + b"\n\n## B" for one in files.TEXT_BYTES]
    ),
    "asking": Target(_run_asking, files.QUESTIONS),
    "words": Target(_run_words, files.TEXT_BYTES),
    "citing": Target(_run_citing, _CITATIONS),
    "import": Target(archive_target.run, archive_target.SEEDS),
}
