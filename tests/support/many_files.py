"""A folder of sixty and more files of every format, each with one fact of its own, and broken ones.

``good(folder)`` gives the question and a word of the answer by file; ``broken(folder)`` a word of
the reason by file.
"""

from __future__ import annotations

import email.message
import gzip
import io
import json
import mailbox
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import docx
import openpyxl
import pptx
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

ANIMALS = (
    *("aardvark", "badger", "capybara", "dugong", "echidna", "ferret", "gecko", "hedgehog"),
    *("ibis", "jackal", "kestrel", "lemur", "marmot", "narwhal", "ocelot", "pangolin", "quokka"),
    *("raccoon", "salamander", "tapir", "urchin", "vicuna", "wombat", "yak", "zebra", "axolotl"),
    *("bison", "cassowary", "dingo", "ermine", "flamingo", "gibbon", "heron", "iguana", "jaguar"),
    *("kiwi", "llama", "mongoose", "newt", "otter", "puffin", "quail", "rhino", "stoat", "toucan"),
    *("viper", "walrus", "xerus", "alpaca", "beaver", "cheetah", "dormouse", "eland", "finch"),
)
PLACES = ("Ghent", "Pune", "Oslo", "Quito", "Turin", "Perth", "Lagos", "Kyoto", "Malmo", "Cork")


def fact(number: int) -> str:
    """One sentence that stands in one file only."""
    animal, place = ANIMALS[number], PLACES[number % len(PLACES)]
    return f"The {animal} in the {place} zoo weighs {1000 + 7 * number} grams."


def question(number: int) -> str:
    """What only that sentence answers."""
    return f"How much does the {ANIMALS[number]} in the zoo weigh?"


def text(number: int) -> str:
    """A short article around the fact."""
    return f"Visitors come every day.\n\n{fact(number)}\n\nThe keepers are pleased."


def html(number: int) -> str:
    """The same as a page."""
    return (
        "<html><head><title>Zoo news</title></head><body><nav>Home Contact</nav><article>"
        f"<h1>Zoo news</h1><p>Visitors come every day.</p><p>{fact(number)}</p>"
        "</article></body></html>"
    )


def pdf(number: int, password: str | None = None) -> bytes:
    """Two pages, the fact on the second."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, encrypt=StandardEncryption(password) if password else None)
    for line in ("Visitors come every day.", fact(number)):
        canvas.drawString(72, 700, line)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def scan() -> bytes:
    """A page that is only a picture."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawImage(ImageReader(Image.effect_noise((300, 300), 80)), 50, 50, 400, 600)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def word(number: int) -> bytes:
    """A heading, a paragraph and a table."""
    document = docx.Document()
    document.add_heading("Zoo news", level=1)
    document.add_paragraph(fact(number))
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "keeper", "Ada"
    return saved(document.save)


def slides(number: int) -> bytes:
    """Two slides, the fact on the second."""
    show = pptx.Presentation()
    for title, body in (("Welcome", "Visitors come every day."), ("Zoo news", fact(number))):
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = title, body
    return saved(show.save)


def sheet(number: int) -> bytes:
    """A row with headers."""
    book = openpyxl.Workbook()
    book.active.append(["animal", "weight in grams", "note"])
    book.active.append([ANIMALS[number], 1000 + 7 * number, fact(number)])
    book.active.append(["nobody", 1, "empty cage"])
    return saved(book.save)


def saved(save: Callable[[io.BytesIO], None]) -> bytes:
    """What is written to a file, as bytes."""
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


def mail(number: int, attachment: tuple[str, bytes] | None = None) -> bytes:
    """A message, with a file if wanted."""
    message = email.message.EmailMessage()
    message["Subject"], message["From"], message["To"] = (
        "Zoo news",
        "ada@zoo.example",
        "b@c.example",
    )
    message["Date"] = "Tue, 05 Mar 2024 10:00:00 +0000"
    message.set_content(text(number))
    if attachment:
        name, content = attachment
        message.add_attachment(
            content, maintype="application", subtype="octet-stream", filename=name
        )
    return message.as_bytes()


def epub(number: int) -> bytes:
    """A book of one chapter."""
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
        '<rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/>'
        "</rootfiles></container>"
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Zoo book</dc:title>'
        '</metadata><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
        '</manifest><spine><itemref idref="a"/></spine></package>'
    )
    members = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": container,
        "book.opf": package,
        "a.xhtml": html(number),
    }
    return zipped({name: content.encode() for name, content in members.items()})


def open_document(number: int) -> bytes:
    """A text of LibreOffice."""
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:text>'
        f"<text:p>{fact(number)}</text:p></office:text></office:body></office:document-content>"
    )
    return zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.text",
            "content.xml": content.encode(),
        }
    )


def zipped(members: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(members: Mapping[str, bytes], mode: str = "w:gz") -> bytes:
    """An archive of the other kind."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


ONE_FACT: dict[str, Callable[[int], bytes]] = {
    "txt": lambda n: text(n).encode(),
    "md": lambda n: f"---\ntitle: Zoo\n---\n\n# News\n\n{fact(n)}".encode(),
    "html": lambda n: html(n).encode(),
    "rst": lambda n: f"News\n====\n\n{fact(n)}\n".encode(),
    "csv": lambda n: f"animal,note\n{ANIMALS[n]},{fact(n)}\nnobody,empty\n".encode(),
    "tsv": lambda n: f"animal\tnote\n{ANIMALS[n]}\t{fact(n)}\nnobody\tempty\n".encode(),
    "json": lambda n: json.dumps({"title": "Zoo", "text": text(n)}).encode(),
    "jsonl": lambda n: json.dumps({"title": "Zoo", "text": text(n)}).encode(),
    "rtf": lambda n: (r"{\rtf1\ansi " + fact(n) + r"\par}").encode(),
    "pdf": pdf,
    "docx": word,
    "pptx": slides,
    "xlsx": sheet,
    "odt": open_document,
    "epub": epub,
    "eml": mail,
    "gz": lambda n: gzip.compress(text(n).encode()),
}


def good(folder: Path) -> dict[int, str]:
    """Write the readable files; gives the source in which each fact stands."""
    folder.mkdir(parents=True)
    sources = {}
    number = 0
    for kind, make in ONE_FACT.items():
        for copy in range(2):
            name = f"{kind}-{copy}.txt.gz" if kind == "gz" else f"{kind}-{copy}.{kind}"
            (folder / name).write_bytes(make(number))
            below = "/1" if kind == "jsonl" else ""
            sources[number] = name + below
            number += 1
    for encoding in ("utf-16", "cp1252", "utf-8-sig"):
        (folder / f"{encoding}.txt").write_bytes(f"{text(number)} — déjà vu".encode(encoding))
        sources[number] = f"{encoding}.txt"
        number += 1
    (folder / "letters.zip").write_bytes(
        zipped({"may/one.txt": text(number).encode(), "two.docx": word(number + 1)})
    )
    sources |= {number: "letters.zip/may/one.txt", number + 1: "letters.zip/two.docx"}
    (folder / "old.tar.gz").write_bytes(tarred({"a/b.md": fact(number + 2).encode()}))
    sources[number + 2] = "old.tar.gz/a/b.md"
    (folder / "sent.eml").write_bytes(mail(number + 3, ("minutes.pdf", pdf(number + 4))))
    sources |= {number + 3: "sent.eml", number + 4: "sent.eml/minutes.pdf"}
    box = mailbox.mbox(folder / "inbox.mbox")
    box.add(mail(number + 5))
    box.add(mail(number + 6))
    box.close()
    sources |= {number + 5: "inbox.mbox/1.eml", number + 6: "inbox.mbox/2.eml"}
    (folder / "naïve 🐘.txt").write_bytes(text(number + 7).encode())
    sources[number + 7] = "naïve 🐘.txt"
    (folder / "two\nlines.txt").write_bytes(text(number + 8).encode())
    sources[number + 8] = "two\nlines.txt"
    (folder / "really a pdf.txt").write_bytes(pdf(number + 9))
    sources[number + 9] = "really a pdf.txt"
    return sources


def broken(folder: Path) -> dict[str, str]:
    """Write the unreadable files; gives a word of the reason that each must be given."""
    folder.mkdir(parents=True)
    files = {
        "empty.txt": (b"", "no text"),
        "blank.md": (b" \n\n ", "no text"),
        "junk.txt": (bytes(range(256)) * 40, "text"),
        "cut.pdf": (pdf(0)[:400], ""),
        "locked.pdf": (pdf(0, password="secret"), "password"),
        "scan.pdf": (scan(), "OCR"),
        "no.pdf": (b"this is no PDF", ""),
        "cut.docx": (word(0)[:2000], ""),
        "cut.xlsx": (sheet(0)[:2000], ""),
        "cut.pptx": (slides(0)[:5000], ""),
        "cut.epub": (epub(0)[:300], ""),
        "cut.odt": (open_document(0)[:200], ""),
        "cut.zip": (zipped({"a.txt": text(0).encode() * 50})[:100], ""),
        "bad.json": (b'{"text": "half', ""),
        "empty.csv": (b"", "no text"),
        "empty.eml": (b"", ""),
        "old.doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4000, ""),
    }
    for name, (content, _) in files.items():
        (folder / name).write_bytes(content)
    return {name: reason for name, (_, reason) in files.items()}
