"""Build a desk: some 230 documents as people have them, with 300 questions about them.

::

    python tests/bench/desk/build.py --data ../shared/data OUT
    python tests/bench/desk/build.py --check OUT

``content/*.txt`` holds the documents that were written for this desk, and ``questions/*.txt`` the
questions; both formats are described in ``README.md``. Papers and articles are copied from the
evaluation sets in DATA, and are no part of the project. OUT gets ``files/``, to be indexed, and
``questions.jsonl``, which :func:`desk_questions.read_questions` reads. ``--check`` reads the files
with the product's own readers, and verifies that every gold text occurs once in its file.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import json
import mailbox
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from pathlib import Path

from desk_questions import check, read_written_questions, write_questions

HERE = Path(__file__).parent
UNDATED = dt.date(2024, 1, 15)
"""The modification time of files whose content gives no date."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document as written in ``content``: where it goes, its properties and its body."""

    path: Path
    head: dict[str, str]
    body: str

    @property
    def date(self) -> dt.date:
        """The day it was written."""
        return dt.date.fromisoformat(self.head["date"][:10]) if "date" in self.head else UNDATED


def main() -> None:
    """Build the desk, or check one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, help="the folder with the evaluation sets")
    parser.add_argument("--check", action="store_true", help="check a desk instead of building one")
    parser.add_argument("out", type=Path, metavar="OUT")
    arguments = parser.parse_args()
    if arguments.check:
        sys.exit(check(arguments.out))
    if arguments.data is None:
        parser.error("--data is needed to build a desk")
    build(arguments.data, arguments.out)


def build(data: Path, out: Path) -> None:
    """Write the files and the questions to ``out``, replacing an earlier desk there."""
    files = out / "files"
    shutil.rmtree(files, ignore_errors=True)
    for source in read_sources(sorted((HERE / "content").glob("*.txt"))):
        path = files / source.path
        path.parent.mkdir(parents=True, exist_ok=True)
        WRITERS[path.suffix](source, path)
        time = dt.datetime.combine(source.date, dt.time(9), dt.UTC).timestamp()
        os.utime(path, (time, time))
    copy_data(data, files)
    write_questions(read_written_questions(sorted((HERE / "questions").glob("*.txt"))), out)


# Documents


def read_sources(contents: Sequence[Path]) -> Iterator[Source]:
    """The documents of content files; a series gives one for each of its ``with`` rows."""
    for content in contents:
        _, *parts = re.split(
            r"^=== (.+)\n", content.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        for path, text in zip(parts[::2], parts[1::2], strict=True):
            top, body = re.split(r"^---\n", text, maxsplit=1, flags=re.MULTILINE)
            pairs = [line.split(": ", 1) for line in top.splitlines() if line]
            rows = [value.split(" | ") for name, value in pairs if name == "with"]
            whole = "\n".join([path, *(": ".join(one) for one in pairs if one[0] != "with")])
            for row in rows[1:] or [[]]:
                filled = f"{whole}\n---\n{body.strip()}\n"
                for name, value in zip(rows[0] if rows else [], row, strict=True):
                    filled = filled.replace(f"{{{name}}}", value)
                lines, _, filled_body = filled.partition("\n---\n")
                name, *fields = lines.split("\n")
                yield Source(Path(name), dict(_pair(one) for one in fields), filled_body)


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    return name, value


def blocks(body: str) -> Iterator[tuple[str, list[str]]]:
    """Blocks between empty lines, with their kind: ``#``, ``-``, ``1.``, ``|``, ``>`` or ``p``."""
    for block in re.split(r"\n\s*\n", body.strip()):
        lines = block.splitlines()
        mark = re.match(r"(#+|-|1\.|\||>) ?", lines[0])
        kind = mark[1] if mark else "p"
        yield kind, [re.sub(r"^(#+|-|\d+\.|>) ", "", line) if mark else line for line in lines]


def cells(line: str) -> list[str]:
    """The cells of a row, ``| a | b |`` or ``a | b``."""
    return [one.strip() for one in line.strip().strip("|").split("|")]


def write_text(source: Source, path: Path) -> None:
    """Plain text, Markdown and CSV as written."""
    path.write_text(source.body, encoding="utf-8")


def write_docx(source: Source, path: Path) -> None:
    """A Word document with headings, lists and tables, and a header if one is given."""
    import docx

    document = docx.Document()
    _describe(document.core_properties, source)
    if "header" in source.head:
        document.sections[0].header.paragraphs[0].text = source.head["header"]
    for kind, lines in blocks(source.body):
        if kind == "|":
            rows = [cells(line) for line in lines]
            table = document.add_table(rows=len(rows), cols=len(rows[0]))
            table.style = "Table Grid"
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    table.cell(number, column).text = value
        elif kind.startswith("#"):
            document.add_heading(lines[0], level=len(kind) - 1)
        elif kind in "-1.":
            for line in lines:
                document.add_paragraph(line, style="List Bullet" if kind == "-" else "List Number")
        else:
            document.add_paragraph("\n".join(lines))
    document.save(str(path))
    _remove_times(path)


def write_pptx(source: Source, path: Path) -> None:
    """A presentation: ``#`` begins a slide, ``>`` are its notes."""
    import pptx
    from pptx.util import Inches

    presentation = pptx.Presentation()
    _describe(presentation.core_properties, source)
    for kind, lines in blocks(source.body):
        if kind == "#":
            slide = presentation.slides.add_slide(presentation.slide_layouts[1])
            assert slide.shapes.title
            slide.shapes.title.text = lines[0]
        elif kind == "|":
            rows = [cells(line) for line in lines]
            size = Inches(1), Inches(3), Inches(8), Inches(3)
            table = slide.shapes.add_table(len(rows), len(rows[0]), *size).table
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    table.cell(number, column).text = value
        elif kind == ">":
            frame = slide.notes_slide.notes_text_frame
            assert frame
            frame.text = " ".join(lines)
        else:
            slide.placeholders[1].text = "\n".join(lines)
    presentation.save(str(path))
    _remove_times(path)


def _describe(properties: object, source: Source) -> None:
    """Set the author, title and dates that office programs store in a file."""
    date = dt.datetime.combine(source.date, dt.time(9))
    values = {"author": source.head.get("author", ""), "title": source.head.get("title", "")}
    for name, value in {**values, "created": date, "modified": date}.items():
        setattr(properties, name, value)


def _remove_times(path: Path) -> None:
    """Give all members of an office file the same time, so that each build gives the same files."""
    with zipfile.ZipFile(path) as package:
        members = {name: package.read(name) for name in package.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(member, content)


def write_xlsx(source: Source, path: Path) -> None:
    """A workbook: ``#`` begins a sheet, ``^`` is a title over its width, ``<`` merges left."""
    import xlsxwriter  # type: ignore[import-untyped]  # python-pptx brings it

    created = dt.datetime.combine(source.date, dt.time(9))
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as book:
        book.set_properties({"author": source.head.get("author", ""), "created": created})
        for part in re.split(r"^# ", source.body, flags=re.MULTILINE)[1:]:
            name, *lines = part.rstrip().split("\n")
            sheet = book.add_worksheet(name)
            width = max(len(cells(line)) for line in lines)
            for number, line in enumerate(lines):
                title = line.startswith("^ ")
                row = [line[2:], *["<"] * (width - 1)] if title else cells(line)
                for first, last in _merged(row):
                    value = _value(row[first])
                    if last > first:
                        sheet.merge_range(number, first, number, last, value)
                    elif value is not None:
                        sheet.write(number, first, value)


def _merged(row: Sequence[str]) -> Iterator[tuple[int, int]]:
    """First and last column of each cell; those with ``<`` belong to the one on their left."""
    firsts = [column for column, value in enumerate(row) if value != "<"]
    for first, following in zip(firsts, [*firsts[1:], len(row)], strict=True):
        yield first, following - 1


def _value(text: str) -> str | float | dt.date | None:
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return dt.date.fromisoformat(text)
    return text or None


def write_html(source: Source, path: Path) -> None:
    """A page as a browser saves it: with navigation above and a footer below."""
    parts = []
    for kind, lines in blocks(source.body):
        texts = [escape(line) for line in lines]
        if kind == "|":
            rows = [[escape(one) for one in cells(line)] for line in lines]
            names = ["th", *["td"] * (len(rows) - 1)]
            tags = ("".join(f"<{t}>{c}</{t}>" for c in r) for t, r in zip(names, rows, strict=True))
            parts.append(f"<table>{''.join(f'<tr>{one}</tr>' for one in tags)}</table>")
        elif kind.startswith("#"):
            parts.append(f"<h{len(kind)}>{texts[0]}</h{len(kind)}>")
        elif kind in "-1.":
            tag = "ul" if kind == "-" else "ol"
            parts.append(f"<{tag}>{''.join(f'<li>{one}</li>' for one in texts)}</{tag}>")
        else:
            parts.append(f"<p>{' '.join(texts)}</p>")
    links = "".join(f'<a href="#">{escape(one)}</a>' for one in source.head["nav"].split(", "))
    path.write_text(
        f'<!doctype html><html lang="{source.head.get("lang", "en")}"><head><meta charset="utf-8">'
        f"<title>{escape(source.head['title'])}</title></head><body><nav>{links}</nav><main>"
        f"<article>{''.join(parts)}</article></main><footer>© {escape(source.head['footer'])} · "
        "Imprint · Privacy · Cookies</footer></body></html>",
        encoding="utf-8",
    )


def write_mail(source: Source, path: Path) -> None:
    """A message."""
    path.write_bytes(_message(source.head, source.body).as_bytes())


def write_mailbox(source: Source, path: Path) -> None:
    """Messages between lines of ``~~~``, each with a head of its own."""
    box = mailbox.mbox(path)
    for part in source.body.split("\n~~~\n"):
        top, _, body = part.strip().partition("\n\n")
        message = mailbox.mboxMessage(_message(dict(map(_pair, top.split("\n"))), body))
        message.set_from("sender", source.date.timetuple())
        box.add(message)
    box.close()


def _message(head: dict[str, str], body: str) -> EmailMessage:
    message = EmailMessage()
    for name in ("from", "to", "cc", "subject"):
        if name in head:
            message[name.capitalize()] = head[name]
    message["Date"] = format_datetime(
        dt.datetime.fromisoformat(head["date"]).replace(tzinfo=dt.UTC)
    )
    message.set_content(body.strip() + "\n", cte="8bit")
    return message


WRITERS: dict[str, Callable[[Source, Path], None]] = {
    ".txt": write_text,
    ".md": write_text,
    ".csv": write_text,
    ".docx": write_docx,
    ".pptx": write_pptx,
    ".xlsx": write_xlsx,
    ".html": write_html,
    ".eml": write_mail,
    ".mbox": write_mailbox,
}


def copy_data(data: Path, files: Path) -> None:
    """Copy the papers, and the texts named in ``texts.json``, with XQuAD's joined by article."""
    for paper in sorted((data / "aragog" / "files").glob("*.pdf")):
        (files / "papers").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(paper, files / "papers" / paper.name)
    for name, wanted in json.loads((HERE / "content" / "texts.json").read_text("utf-8")).items():
        with gzip.open(data / name / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
            corpus = {one["_id"]: one for one in map(json.loads, lines)}
        for key in wanted:
            identifier, *limits = key.split(":")
            title = corpus.get(identifier, {}).get("title", "")
            paragraphs = [v["text"] for k, v in corpus.items() if k.split("-")[0] == identifier]
            text = "\n\n".join([corpus[identifier]["text"]] if title else paragraphs)
            if limits:
                text, title = text[int(limits[0]) : int(limits[1])], ""
            path = (
                files / "articles" / f"{name.removesuffix('_articles')}_{key.replace(':', '_')}.txt"
            )
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{title}\n\n{text}".strip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
