"""Words that other readers find in files, and ours don't.

python tests/bench/words_read.py FOLDER [--worst 20] reads the files in FOLDER as `rag index` does,
without OCR, and again with pdftotext (PDF), pandoc, striprtf, python-pptx, openpyxl, xlrd or
Python's mail parser (pip install python-pptx striprtf xlrd; the first two are Debian packages,
poppler-utils and pandoc). Files that the other reader refuses are skipped; "refused" are those of
ours in which it finds words.

Words are compared after NFKC and case folding, with hyphens removed. "Missing" is the difference of
the multisets; "nowhere" counts only words that stand nowhere in our text, even written apart or
together, so it leaves out repetitions, such as page headers, and other boundaries between words.
"""

from __future__ import annotations

import argparse
import email.policy
import io
import json
import re
import subprocess
import unicodedata
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pptx
import xlrd
from lxml import etree, html
from striprtf.striprtf import rtf_to_text

from rag.documents.sandbox.reader import ReadFile, ReadProgress, read

_SECONDS = 60
_PANDOC = {
    ".docx": "docx",
    ".docm": "docx",
    ".odt": "odt",
    ".epub": "epub",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".ipynb": "ipynb",
    ".md": "markdown",
    ".rst": "rst",
    ".org": "org",
    ".tex": "latex",
    ".fb2": "fb2",
    ".opml": "opml",
}
_HYPHEN = re.compile(r"(?<=\w)[-\u2010\u2011]\s*(?=\w)|\xad\s*")
_WORD = re.compile(r"[^\W_]+")
_MATH = re.compile(r"\\[A-Za-z]+|\\.")
_ENDS_BLOCK = frozenset({"Para", "Plain", "Header", "CodeBlock", "LineBlock"})
_SPACES = frozenset({"Space", "SoftBreak", "LineBreak"})


def folded(text: str) -> str:
    """Text without differences that don't matter: case, ligatures, hyphens."""
    return _HYPHEN.sub("", unicodedata.normalize("NFKC", text).casefold())


def by_poppler(path: Path) -> str:
    """Text inside the crop box of each page, in reading order."""
    return _output("pdftotext", "-q", "-cropbox", str(path), "-")


def by_pandoc(path: Path) -> str:
    """Text without markup, raw HTML, addresses of links, and commands of formulas."""
    kind = _PANDOC[path.suffix.lower()]
    try:
        return _words_of_pandoc("--from", kind, fed=path.read_text("utf-8-sig"))
    except UnicodeDecodeError:
        if kind != "html":
            return _words_of_pandoc("--from", kind, str(path))
    page = html.document_fromstring(path.read_bytes())  # decodes as the page declares
    return _words_of_pandoc("--from", kind, fed=html.tostring(page, encoding="unicode"))


def _words_of_pandoc(*asked: str, fed: str = "") -> str:
    tree = json.loads(_output("pandoc", "--to", "json", *asked, fed=fed))
    return "".join(_of_pandoc(tree["blocks"]))


def _of_pandoc(node: Any) -> Iterator[str]:  # noqa: ANN401, C901 (JSON; a case a line)
    if isinstance(node, list):
        for one in node:
            yield from _of_pandoc(one)
        return
    if not isinstance(node, dict) or "t" not in node:
        return
    kind, content = node["t"], node.get("c")
    if kind == "Str":
        yield content
    elif kind in _SPACES:
        yield " "
    elif kind in ("Code", "CodeBlock"):
        yield content[1]
    elif kind == "Math":
        yield _MATH.sub(" ", content[1])
    elif kind == "Note":
        yield " "
        yield from _of_pandoc(content)
        yield " "
    elif kind == "DefinitionList":
        for term, definitions in content:
            yield from _of_pandoc(term)
            yield "\n"
            yield from _of_pandoc(definitions)
    elif kind not in ("RawInline", "RawBlock"):
        yield from _of_pandoc(content)
    if kind in _ENDS_BLOCK:
        yield "\n"


def by_striprtf(path: Path) -> str:
    """Text of an RTF file; pandoc takes every letter for Western European."""
    return str(rtf_to_text(path.read_bytes().decode("latin-1"), errors="replace"))


def by_python_pptx(path: Path) -> str:
    """Text of shapes, groups, tables and notes."""

    def of(shapes: Any) -> Iterator[str]:  # noqa: ANN401 (untyped library)
        for shape in shapes:
            if shape.has_text_frame:
                yield shape.text_frame.text
            if getattr(shape, "has_table", False):
                yield from (cell.text for row in shape.table.rows for cell in row.cells)
            if hasattr(shape, "shapes"):
                yield from of(shape.shapes)

    lines: list[str] = []
    for slide in pptx.Presentation(str(path)).slides:
        lines += of(slide.shapes)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            lines.append(slide.notes_slide.notes_text_frame.text)
    return "\n".join(lines)


def by_openpyxl(path: Path) -> str:
    """Text cells and names of sheets; numbers depend on formats, which openpyxl doesn't apply."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    rows = (row for sheet in book.worksheets for row in sheet.iter_rows(values_only=True))
    cells = [cell for row in rows for cell in row if isinstance(cell, str)]
    return "\n".join([*book.sheetnames, *cells])


def by_xlrd(path: Path) -> str:
    """Text cells and names of sheets."""
    book = xlrd.open_workbook(path, logfile=io.StringIO())
    cells = [
        cell.value
        for sheet in book.sheets()
        for row in sheet.get_rows()
        for cell in row
        if cell.ctype == xlrd.XL_CELL_TEXT
    ]
    return "\n".join([*book.sheet_names(), *cells])


def by_xml(path: Path) -> str:
    """Paragraphs of an OpenDocument file."""
    with zipfile.ZipFile(path) as package:
        tree = etree.fromstring(package.read("content.xml"))
    texts = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
    etree.strip_elements(tree, f"{texts}page-number", with_tail=False)
    return "\n".join("".join(one.itertext()) for one in tree.iter(f"{texts}p", f"{texts}h"))


def by_email(path: Path) -> str:
    """Body of a message, and its subject."""
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain", "html"))
    text = body.get_content() if body else ""
    if body and body.get_content_type() == "text/html":
        text = _words_of_pandoc("--from", "html", fed=text)
    return f"{message['subject']}\n{text}"


def by_decoding(path: Path) -> str:
    """Text as it is."""
    return path.read_bytes().decode("utf-8-sig")


_READERS: dict[str, Callable[[Path], str]] = {
    ".pdf": by_poppler,
    **dict.fromkeys(_PANDOC, by_pandoc),
    ".rtf": by_striprtf,
    ".pptx": by_python_pptx,
    ".xlsx": by_openpyxl,
    ".xlsm": by_openpyxl,
    ".xls": by_xlrd,
    ".odp": by_xml,
    ".ods": by_xml,
    ".eml": by_email,
    ".txt": by_decoding,
    ".csv": by_decoding,
    ".tsv": by_decoding,
}


def _output(*command: str, fed: str = "") -> str:
    done = subprocess.run(
        command, input=fed.encode(), capture_output=True, timeout=_SECONDS, check=True
    )
    return done.stdout.decode("utf-8", "replace")


@dataclass
class Kind:
    """Sums over the files of a kind."""

    files: int = 0
    refused: int = 0
    warned: int = 0
    words: int = 0
    missing: int = 0
    nowhere: int = 0

    def row(self, name: str) -> str:
        """A row of the table."""
        shares = [f"{part / max(self.words, 1):.2%}" for part in (self.missing, self.nowhere)]
        counts = f"{self.files} | {self.words:,} | {' | '.join(shares)}"
        return f"| {name} | {counts} | {self.refused} | {self.warned} |"


@dataclass
class Ours:
    """What we read of a file."""

    texts: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    is_article: bool = False


def main() -> None:
    """Measure and print a table, then the files with most words nowhere."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--worst", type=int, default=20)
    asked = parser.parse_args()
    paths = sorted(one for one in asked.folder.iterdir() if one.suffix.lower() in _READERS)
    found: defaultdict[Path, Ours] = defaultdict(Ours)
    kinds: defaultdict[str, Kind] = defaultdict(Kind)
    worst: list[tuple[int, str]] = []
    for one in read(paths, workers=2):
        if isinstance(one, ReadProgress):
            continue
        if not isinstance(one, ReadFile):
            path, document = one
            found[path].texts += (document.title, document.text)
            found[path].warnings += document.warnings
            found[path].is_article |= document.metadata.get("extraction") == "article"
            continue
        ours = found.pop(one.path, Ours())
        try:
            theirs = folded(_READERS[one.path.suffix.lower()](one.path))
        except Exception:  # noqa: BLE001, S112 (any failure of another's parser)
            continue
        _compare(one, ours, theirs, kinds, worst)
    print(
        "| kind | files | words the other reader finds | missing | nowhere | refused | warnings |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name, kind in sorted(kinds.items()):
        print(kind.row(name))
    worst.sort(key=lambda one: -one[0])
    print("\n".join(line for _, line in worst[: asked.worst]))


def _compare(
    file: ReadFile,
    ours: Ours,
    theirs: str,
    kinds: dict[str, Kind],
    worst: list[tuple[int, str]],
) -> None:
    name = file.path.suffix.lower()[1:]
    kind = kinds[f"{name}, article" if ours.is_article else name]
    kind.files += 1
    words = Counter(_WORD.findall(theirs))
    kind.warned += bool(ours.warnings)
    failures = "; ".join(failure.reason for failure in file.failures)
    if not ours.texts:
        if words:
            kind.refused += 1
            worst.append((words.total(), f"- {file.path.name}: REFUSED {failures}"))
        return
    kind.words += words.total()
    text = folded("\n".join(ours.texts))
    missing = words - Counter(_WORD.findall(text))
    together = "".join(_WORD.findall(text))
    nowhere = Counter({word: n for word, n in missing.items() if word not in together})
    kind.missing += missing.total()
    kind.nowhere += nowhere.total()
    if missing:
        most = " ".join(word for word, _ in (nowhere or missing).most_common(12))
        shares = f"{missing.total()} missing, {nowhere.total()} nowhere of {words.total()}"
        noted = "; ".join((*ours.warnings, failures))[:200]
        worst.append((nowhere.total(), f"- {file.path.name}: {shares}: {most} [{noted}]"))


if __name__ == "__main__":
    main()
