"""PDF loader: text in reading order, page by page.

::

    bytes → file → Sheet → columns → Region → headers_footers → paragraphs → headings → Loaded
             ↳ ocr ↗
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from rag.documents.content import Content
from rag.documents.loaded import LONGEST_HEADING, Loaded, Member
from rag.documents.pdf.annotations import MOST_ANNOTATIONS
from rag.documents.pdf.attachments import attachments_of, only_holds_files
from rag.documents.pdf.columns import in_reading_order, rows
from rag.documents.pdf.file import Pdf, is_placeholder, is_whole, open_pdf, read_page
from rag.documents.pdf.headers_footers import PageRows, is_stamp, without_headers_and_footers
from rag.documents.pdf.headings import bookmarks, levels, size_of_body, title_of, with_outline
from rag.documents.pdf.lines import Words
from rag.documents.pdf.metadata import information, page_labels, ranges
from rag.documents.pdf.ocr import read_scan
from rag.documents.pdf.page import Region, Sheet
from rag.documents.pdf.paragraphs import Paragraph, Part, in_paragraphs, merge_continued
from rag.documents.whitespace import normalize_whitespace, one_line
from rag.errors import LoadError
from rag.types import Failure, Heading, Span

__all__ = ["load_pdf"]

_A_PAGEFUL = 0.5
"""Minimum share of a page that an image covers if the page is a scan."""
_FEW_LETTERS = 25
"""A full-page image with fewer letters than this carries only the scanner's stamp."""

_PAGES_TOGETHER = 500
"""Pages processed together: more than most documents have."""

_MOST_DAMAGED = 10_000
"""Number of consecutive unreadable pages after which the rest is considered missing: a file of 200
bytes may claim four million."""

_SCANNED = "no text layer, need OCR"
_GARBLED = "the fonts don't say which letters they draw, need OCR"
_DAMAGED = "damaged, not read"
_BY_OCR = "read by OCR, may have errors"
_XFA = (
    "it is an XFA form, which can't be read here; "
    "open it in Adobe Reader, and print it to another PDF"
)
_CROWDED = f"only the first {MOST_ANNOTATIONS:,} form fields and notes were read"
_NO_WORDS = "OCR found no text"


def load_pdf(
    content: Content,
    *,
    ocr: str | None = None,
    passwords: Sequence[str] = (),
    on_page: Callable[[], None] = lambda: None,
) -> Iterator[Loaded | Member | Failure]:
    """Load a PDF: columns in order, lines joined, headers and footers removed; in stretches of some
    hundred pages. Then come the files that are attached to it. The page that Acrobat makes for a
    portfolio is left out.

    ``pages`` partitions the text into one span per page; a paragraph that continues on the next
    page is kept whole, and the page ends inside it. The title is from the document information, or
    else the largest text at the top. The date is the creation date. ``title_from``, ``author_from``
    and ``date_from`` in ``metadata`` are "file" if the document information gave them. ``warnings``
    name image-only and damaged pages.

    ``ocr`` names the languages, as tesseract does, in which image-only pages and pages whose fonts
    have no Unicode mapping are read by OCR; ``warnings`` name these too. What is filled into a form
    is on the line of its label; notes are at the end of their page. ``passwords`` are tried in
    order if the file is protected. ``on_page`` is called after each page. A Failure without a
    source says why nothing on the pages could be read.

    Raises LoadError if the bytes are not a PDF, are damaged beyond reading or protected by another
    password, are an XFA form, or if no page has text.
    """
    with open_pdf(content, passwords) as pdf:
        if is_placeholder(pdf):
            raise LoadError(_XFA)
        if only_holds_files(pdf):
            yield from attachments_of(pdf, ())
            return
        stated = information(pdf)
        outline = list(bookmarks(pdf))
        doubts: list[str] = []
        waiting: list[Loaded] = []
        is_read = False
        body = 0.0
        damaged = 0
        with_files: list[int] = []
        for start in range(0, max(len(pdf), 1), _PAGES_TOGETHER):
            numbers = range(start, min(start + _PAGES_TOGETHER, len(pdf)))
            pages = _read(pdf, numbers, ocr, on_page)
            damaged = damaged + len(numbers) if pages.is_damaged else 0
            if damaged > _MOST_DAMAGED:
                break
            doubts += pages.doubts
            with_files += pages.with_files
            is_read |= pages.is_read
            kept = list(without_headers_and_footers(pages.laid, start))
            body = body or size_of_body(kept)
            notes = [page.notes for page in pages.laid]
            paragraphs = _paragraphs(kept, notes, body, on_page)
            shown = None
            if not start and pages.laid:
                first = pages.laid[0]
                shown = title_of(paragraphs, body, (first.bottom + first.top) / 2)
            here = [
                replace(entry, page=entry.page - start)
                for entry in outline
                if entry.page - start in range(len(pages.laid))
            ]
            found = with_outline(levels(paragraphs, body, shown), paragraphs, here, shown)
            text, headings, spans = _join(paragraphs, found, len(pages.laid))
            if pages.is_read and any(one.text for one in waiting):
                yield from _with_all_warnings(waiting)
                waiting = []
            loaded = Loaded(
                text=text,
                title=stated.title or (one_line(shown.text) if shown else None),
                date=stated.date,
                metadata=stated.fields,
                headings=headings,
                pages=spans,
                page_labels=page_labels(pdf, numbers),
                warnings=pages.warnings,
            )
            nothing = (Span(0, 0),) * len(spans)
            waiting.append(
                loaded if pages.is_read else replace(loaded, text="", pages=nothing, headings=())
            )
        attached = attachments_of(pdf, with_files)
        if is_read:
            yield from _with_all_warnings(waiting)
        else:
            member, reason = next(attached, None), _nothing_read(len(pdf), doubts)
            if member is None:
                raise LoadError(reason)
            if doubts:
                yield Failure("", reason)
            yield member
        yield from attached


def _with_all_warnings(stretches: Sequence[Loaded]) -> Iterator[Loaded]:
    """Add the warnings of stretches without text to the one that has text, as they would otherwise
    be lost.
    """
    warnings = tuple(chain.from_iterable(one.warnings for one in stretches))
    return (replace(one, warnings=warnings if one.text else ()) for one in stretches)


@dataclass(frozen=True, slots=True)
class _Pages:
    laid: tuple[PageRows, ...]
    warnings: tuple[str, ...]
    doubts: tuple[str, ...]
    is_read: bool
    """Whether any page has reliable text."""
    is_damaged: bool
    """Whether none of the pages can be read."""
    with_files: tuple[int, ...]
    """Pages to which files are attached."""


def _read(pdf: Pdf, numbers: range, ocr: str | None, on_page: Callable[[], None]) -> _Pages:
    """Read pages one by one, keeping only their rows in memory."""
    laid: list[PageRows] = []
    doubts: defaultdict[str, list[int]] = defaultdict(list)
    with_files: list[int] = []
    unread = 0
    for number in numbers:
        sheet, doubt = _sheet(pdf, number, ocr)
        if doubt:
            doubts[doubt].append(number)
            unread += doubt != _BY_OCR and not (sheet and _has_annotations(sheet))
        if sheet and sheet.is_crowded:
            doubts[_CROWDED].append(number)
        if sheet and sheet.has_files:
            with_files.append(number)
        laid.append(_page_rows(sheet) if sheet else PageRows((), (), 0.0, 0.0))
        on_page()
    notes = [
        f"{'page' if len(pages) == 1 else 'pages'} {ranges(pages)}: {doubt}"
        for doubt, pages in doubts.items()
    ]
    if not numbers.start and not is_whole(pdf):
        notes.append("the file is damaged or cut short; what could be recovered was read")
    is_read = any(page.regions or page.turned or page.notes for page in laid)
    is_read &= unread < len(laid)
    is_damaged = len(doubts.get(_DAMAGED, ())) == len(laid)
    return _Pages(tuple(laid), tuple(notes), tuple(doubts), is_read, is_damaged, tuple(with_files))


def _sheet(pdf: Pdf, number: int, ocr: str | None) -> tuple[Sheet | None, str]:
    """Read a page, None if unreadable; also returns why its text is missing or unreliable, if
    so.
    """
    sheet = read_page(pdf, number)
    if sheet is None:
        return None, _DAMAGED
    wanting = _GARBLED if sheet.garbled else _SCANNED if _is_scan(sheet) else ""
    if not wanting or ocr is None:
        return sheet, wanting
    try:
        scan = read_scan(pdf, number, ocr)
    except LoadError as error:
        return sheet, str(error)
    return (replace(scan, notes=sheet.notes), _BY_OCR) if scan.pieces else (sheet, _NO_WORDS)


def _nothing_read(pages: int, doubts: Sequence[str]) -> str:
    count = f"{pages} page" if pages == 1 else f"{pages} pages"
    if _SCANNED in doubts or _GARBLED in doubts:
        return f"no text layer: needs OCR ({count})"
    by_ocr = [doubt for doubt in doubts if doubt != _DAMAGED]
    if by_ocr:
        return f"{by_ocr[0]} ({count}); scan it again, or exclude it from indexing"
    if doubts:
        return f"none of its pages can be read, they are damaged ({count}); get the file again"
    return f"there is nothing to read on its pages ({count}); exclude it from indexing"


def _is_scan(sheet: Sheet) -> bool:
    printed = [piece.text for piece in sheet.pieces if not piece.is_field]
    if not printed:
        return sheet.pictured > 0
    if sheet.pictured < _A_PAGEFUL:
        return False
    return sum(character.isalnum() for text in printed for character in text) < _FEW_LETTERS


def _has_annotations(sheet: Sheet) -> bool:
    return bool(sheet.notes) or any(piece.is_field for piece in sheet.pieces)


def _page_rows(sheet: Sheet) -> PageRows:
    """Put a page in reading order, without the arXiv stamp along its edge."""
    turned = (piece for piece in sheet.turned if not is_stamp(piece.text))
    return PageRows(
        regions=tuple(in_reading_order(sheet.pieces)),
        turned=tuple(rows(turned)),
        bottom=sheet.bottom,
        top=sheet.top,
        notes=sheet.notes,
    )


def _paragraphs(
    pages: Sequence[tuple[Region, ...]],
    notes: Sequence[Sequence[str]],
    body: float,
    on_page: Callable[[], None],
) -> list[Paragraph]:
    words = Words()
    for page in pages:
        for region in page:
            words.learn(row.text for row in region)
        on_page()
    regions: list[list[Paragraph]] = []
    for number, (*upright, turned) in enumerate(pages):
        regions += [in_paragraphs(region, number, words) for region in upright]
        regions += [[_note(text, number)] for text in notes[number]]
        regions.append(in_paragraphs(turned, number, words))
        on_page()
    return list(merge_continued(regions, body, words))


def _note(text: str, page: int) -> Paragraph:
    return Paragraph((Part(page, text),), size=0.0, bold=False, lines=1, top=0.0, is_prose=False)


def _join(
    paragraphs: Sequence[Paragraph], levels: Mapping[int, int], pages: int
) -> tuple[str, tuple[Heading, ...], tuple[Span, ...]]:
    """Join paragraphs to one text, with its headings and page spans."""
    pieces: list[str] = []
    headings: list[Heading] = []
    starts: list[int | None] = [None] * pages
    at = 0
    for place, paragraph in enumerate(paragraphs):
        in_lines = not (paragraph.is_prose or place in levels)  # may be laid out like a table
        parts = [Part(part.page, _tidy(part.text, in_lines=in_lines)) for part in paragraph.parts]
        parts = [part for part in parts if part.text]
        if not parts:
            continue
        if pieces:
            pieces.append("\n\n")
            at += 2
        begin = at
        for index, part in enumerate(parts):
            if index:
                pieces.append(" ")
                at += 1
            if starts[part.page] is None:
                starts[part.page] = at
            pieces.append(part.text)
            at += len(part.text)
        if place in levels and at - begin <= LONGEST_HEADING:
            headings.append(Heading(Span(begin, at), levels[place]))
    return "".join(pieces), tuple(headings), _spans(starts, at)


def _tidy(text: str, *, in_lines: bool) -> str:
    return normalize_whitespace(text).strip() if in_lines else one_line(text)


def _spans(starts: Sequence[int | None], end: int) -> tuple[Span, ...]:
    """Contiguous page spans from 0 to the end; a page without text is an empty span in its
    place.
    """
    spans: list[Span] = []
    for start in reversed(starts):
        begin = end if start is None else start
        spans.append(Span(begin, end))
        end = begin
    spans.reverse()
    return tuple(spans)
