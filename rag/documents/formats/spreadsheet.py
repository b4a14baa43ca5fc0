"""Spreadsheets (XLSX) and delimited text (CSV, TSV)."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import reduce
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from rag.documents.character_encoding import decoded_pieces, encoding_note, lines_of
from rag.documents.content import Content, stream_of
from rag.documents.dates import format_moment
from rag.documents.loaded import Block, Loaded
from rag.documents.metadata import Metadata
from rag.documents.office_zip import (
    MOST_UNPACKED,
    Package,
    core_properties,
    is_out_of_memory,
    open_ooxml,
)
from rag.documents.table_rows import row_blocks
from rag.documents.whitespace import one_line
from rag.errors import LoadError

if TYPE_CHECKING:
    from openpyxl import Workbook

_SHEET_LEVEL = 2
_SHEETS = "xl/worksheets/"
_UNREAD = (
    *("xl/pivotCache/", "xl/pivotTables/", "xl/externalLinks/", "xl/drawings/", "xl/charts/"),
    *("xl/comments", "xl/threadedComments/", "xl/tables/", "xl/queryTables/", "customXml/"),
)
"""Parts that openpyxl's read-only mode ignores; they may be large."""

MOST_ROWS = 100_000
"""Maximum rows read per file; any further rows are reported as omitted."""
MOST_CELLS = 3_000_000
"""Maximum cells read per file, including empty ones."""
_MOST_TAGS = {"xl/sharedStrings.xml": (b"<", 12_000_000)}
_MOST_TAGS_ELSEWHERE = (b"<", 500_000)
_MOST_ROWS_IN_SHEET = (b"<row", 2_000_000)
"""Limit on what openpyxl keeps in memory per part: some hundred bytes per tag, or per sheet row."""
_NO_RESULT = re.compile(rb"</(?:\w+:)?f>(?:<v>\s*</v>|<v\s*/>)?</(?:\w+:)?c>")

_PROTECTED = "it is protected by a password; save a copy without one"
_OLD_PASSWORD = re.compile(rb"\x09\x08\x10\0\0\x06\x05\0.{12}\x2f\0", re.DOTALL)
"""In XLS: the record that begins a workbook, then that of its encryption."""

_COMMENTS = frozenset({"comments", "threadedComment"})
_OF_THREAD = "[Threaded comment]"

_COPY = "get a complete copy of it"
_WITHOUT_FORMATS = (
    "parts of it are invalid, so numbers are shown without their formats; "
    "open it in a spreadsheet program and save it again"
)
_TOO_FAR = (
    f"one of its sheets extends over more than {MOST_CELLS:,} cells, including empty ones; "
    "open it in a spreadsheet program, remove the cells far from the others, and save it again"
)
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
_TRANSITIONAL = rb"http://schemas.openxmlformats.org/\1/2006/"
_MERGED = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^>]*?\bref=[\"']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})[\"']"
)
_CELL = re.compile(rb"<(?:\w+:)?c\s[^<>]*?\br=[\"']([A-Z]{1,3})(\d{1,7})[\"'][^<>]*(?<!/)>\s*<\w")
"""A cell that isn't empty."""
_MOST_MERGED = 100_000
_Range: TypeAlias = tuple[int, int, int, int]
Merged: TypeAlias = dict[int, list[tuple[int, int, int]]]
"""Cells that are merged over several rows, by the first row: the column, and the first and last row
in which their value is repeated, all from 0."""

_DELIMITERS = ",;\t|"
_SNIFFED_LINES = 30
_SNIFFED_LENGTH = 10_000
_NO_LIMIT = 2**31 - 1

_CURRENCY = re.compile(r"\[\$([^\]-]*)(?:-[^\]]*)?\]")
_BRACKETS = re.compile(r"\[[^\]]*\]")
_QUOTED = re.compile(r'"([^"]*)"')
_FILL = re.compile(r"_.|\*.")
_LITERAL = re.compile(r"\\(.)|\"([^\"0#]*)\"")
_TEMPLATE = re.compile(r"[^\w#.,%?;\[\]@*/]*(?:[0#]+[^\w#.,%?;\[\]@*/]+){1,9}[0#]+")
_DIGITS = re.compile(r"[#0?,]*[#0?](?:\.([#0?]+))?,*")
_LONGEST_FORMAT = 100
_SIGNIFICANT = ".15g"  # a spreadsheet's display precision
_MOST_DECIMALS = 15
_MOST_DIGITS = 310
"""Maximum number of integer digits in a spreadsheet number."""

_WIDE = Context(prec=400)


@dataclass(slots=True)
class RowQuota:
    """Remaining quota of rows and cells, and the rows omitted when it ran out."""

    rows: int = MOST_ROWS
    cells: int = MOST_CELLS
    left_out: list[str] = field(default_factory=list)

    def of(self, rows: Iterable[Sequence[str]], where: str) -> Iterator[Sequence[str]]:
        """Yield rows as long as the quota lasts."""
        for number, row in enumerate(rows, 1):
            if self.rows <= 0 or self.cells < len(row):
                self.left_out.append(
                    f"{where}: everything from row {number:,} on was left out; "
                    f"at most {MOST_ROWS:,} rows and {MOST_CELLS:,} cells of a file are read"
                )
                return
            self.rows -= any(row)
            self.cells -= len(row)
            yield row

    def warnings(self) -> tuple[str, ...]:
        """Warnings about omitted rows since the last call."""
        new, self.left_out = tuple(self.left_out), []
        return new


def load_xls(content: Content) -> Iterator[Loaded]:
    """Load a binary workbook (XLS, which Excel wrote before 2007, or XLSB) as ``load_xlsx`` loads
    one, but with numbers as they are stored.

    Raises LoadError if it is damaged or encrypted.
    """
    allowance = RowQuota()
    return Metadata().in_parts(_sheets_by_calamine(content, allowance), allowance.warnings)


def _sheets_by_calamine(content: Content, allowance: RowQuota) -> Iterator[Block]:
    import python_calamine as calamine

    try:
        workbook = calamine.CalamineWorkbook.from_filelike(stream_of(content))
        worksheet = calamine.SheetTypeEnum.WorkSheet
        sheets = [one for one in workbook.sheets_metadata if one.typ == worksheet]
        for one in sheets:
            sheet = workbook.get_sheet_by_name(one.name)
            top, left = sheet.start or (0, 0)
            ranges = (
                (first - top, begin - left, last - top, end - left)
                for (first, begin), (last, end) in sheet.merged_cell_ranges or ()
            )
            rows = ([*map(format_cell, row)] for row in sheet.iter_rows())
            yield from sheet_blocks(one.name, fill_merged(rows, _by_row(ranges)), allowance)
    except calamine.PasswordError as error:
        raise LoadError(_PROTECTED) from error
    except (MemoryError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic in Rust is no Exception
        if _OLD_PASSWORD.search(content):
            raise LoadError(_PROTECTED) from error
        raise LoadError(f"it is damaged ({one_line(str(error))[:120]}); {_COPY}") from error
    if not sheets:
        raise LoadError(f"it is damaged (it has no sheets); {_COPY}")


def load_xlsx(content: Content) -> Iterator[Loaded]:
    """Load an Excel workbook: one paragraph per row, with the header of each cell repeated; in
    parts if long.

    Each sheet's name is a heading. Numbers, percentages and currency are formatted as in the
    workbook. Formulas yield their last stored results. The value of cells that are merged over
    several rows is repeated in each. Text boxes and comments follow their sheet.

    Raises LoadError if it is not a workbook, damaged, encrypted, or exceeds the limits.
    """
    package, main = open_ooxml(content, "Excel workbook", "xl/")
    for name in package.names:
        if name.endswith((".xml", ".rels")) and not name.startswith(_UNREAD):
            in_sheet = _MOST_ROWS_IN_SHEET if name.startswith(_SHEETS) else _MOST_TAGS_ELSEWHERE
            package.check(name, *_MOST_TAGS.get(name, in_sheet))
    allowance = RowQuota()
    stated = core_properties(package)
    is_begun = is_whole = False
    try:
        with closing(_workbook(_transitional(content, package, main))) as workbook:
            for part in stated.in_parts(_sheets(workbook, package, allowance), allowance.warnings):
                is_begun = True
                yield part
        is_whole = True
    except LoadError:
        raise
    except Exception as error:  # openpyxl raises anything on what it can't interpret
        if is_out_of_memory(error):
            raise MemoryError from error
        if is_begun or isinstance(error, SyntaxError):  # XML that is cut or damaged
            message = one_line(str(error))[:120] or type(error).__name__
            raise LoadError(f"it is damaged ({message}); {_COPY}") from error
    if not is_whole:
        _check_extents(package)
        allowance = RowQuota(left_out=[_WITHOUT_FORMATS])
        yield from stated.in_parts(_sheets_by_calamine(content, allowance), allowance.warnings)


def _check_extents(package: Package) -> None:
    """Raise LoadError if the cells of a sheet lie too far apart for calamine, which keeps all that
    lie between them.
    """
    for name in package.names:
        top = left = _NO_LIMIT
        bottom = right = -1
        pieces = _tags(package.chunks(name, MOST_UNPACKED)) if name.startswith(_SHEETS) else ()
        for cell in chain.from_iterable(map(_CELL.finditer, pieces)):
            row, column = int(cell[2]), _column(cell[1])
            top, bottom = min(top, row), max(bottom, row)
            left, right = min(left, column), max(right, column)
        if bottom >= top and (bottom - top + 1) * (right - left + 1) > MOST_CELLS:
            raise LoadError(_TOO_FAR)


def _warn_of_missing_results(package: Package) -> Iterator[str]:
    sheets = (name for name in package.names if name.startswith(_SHEETS))
    missing = sum(
        len(_NO_RESULT.findall(c)) for name in sheets for c in package.chunks(name, MOST_UNPACKED)
    )
    if missing:
        yield (
            f"{missing:,} formulas have no stored result and were left out; "
            "open it in a spreadsheet program and save it"
        )


def load_csv(content: Content) -> Iterator[Loaded]:
    """Load comma-, semicolon-, tab- or bar-separated values, as ``load_xlsx`` loads a sheet.

    Raises LoadError if the bytes are not text.
    """
    pieces, encoding = decoded_pieces(content)
    allowance = RowQuota()
    rows = allowance.of(_records(_lines(pieces)), "the table")
    parts = Metadata().in_parts(row_blocks(rows), allowance.warnings, encoding_note(encoding))
    yield from (replace(part, title=None) for part in parts)  # its headings are labels


def _workbook(stream: IO[bytes]) -> Workbook:
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about unsupported styles and extensions
        return openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)


def _transitional(content: Content, package: Package, main: str) -> IO[bytes]:
    """The workbook with the namespaces of ECMA-376, the only ones that openpyxl knows, instead of
    those of ISO 29500 Strict.
    """
    if not any(_STRICT.search(chunk) for chunk in package.chunks(main, MOST_UNPACKED)):
        return stream_of(content)
    rewritten = io.BytesIO()
    with zipfile.ZipFile(rewritten, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in package.names:
            if name.endswith((".xml", ".rels")) and not name.startswith(_UNREAD):
                with archive.open(name, "w") as part:
                    for piece in _tags(package.chunks(name, MOST_UNPACKED)):
                        part.write(_STRICT.sub(_TRANSITIONAL, piece))
    return rewritten


def _tags(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Split XML before tags, as near as possible to the ends of the chunks."""
    rest = b""
    for chunk in chunks:
        cut = chunk.rfind(b"<")
        if cut >= 0:
            yield rest + chunk[:cut]
            rest = b""
        rest += chunk[max(cut, 0) :]
    yield rest


def _sheets(workbook: Workbook, package: Package, allowance: RowQuota) -> Iterator[Block]:
    for sheet in workbook.worksheets:
        sheet.reset_dimensions()  # some programs store wrong ones
        part: str = sheet._worksheet_path  # type: ignore[attr-defined] # noqa: SLF001 (no other way)
        merged = _by_row(_merged(package, part))
        rows = fill_merged(map(_row, sheet.iter_rows()), merged)
        yield from sheet_blocks(sheet.title, rows, allowance)
        yield from _beside(package, part)
    allowance.left_out += _warn_of_missing_results(package)


def _beside(package: Package, sheet: str) -> Iterator[Block]:
    """Text boxes of a sheet, and comments on its cells. Those in threads are also stored for older
    programs, with a text that says so.
    """
    for kind, name in package.relations(sheet).values():
        drawing = package.tree_if_readable(name) if kind == "drawing" else None
        for paragraph in () if drawing is None else drawing.iterfind(".//{*}txBody/{*}p"):
            yield Block("".join(one.text or "" for one in paragraph.iter("{*}t")))
        root = package.tree_if_readable(name) if kind in _COMMENTS else None
        for comment in () if root is None else root.iter("{*}comment", "{*}threadedComment"):
            words = one_line("".join(one.text or "" for one in comment.iter("{*}t", "{*}text")))
            if words and not words.startswith(_OF_THREAD):
                yield Block(f"Comment on {comment.get('ref')}: {words}")


def _merged(package: Package, name: str) -> Iterator[_Range]:
    """Merged cells of a sheet: first row and column, last row and column, from 0."""
    for piece in _tags(package.chunks(name, MOST_UNPACKED)) if name in package else ():
        for found in _MERGED.finditer(piece):
            first, last = int(found[2]) - 1, int(found[4]) - 1
            yield first, _column(found[1]), last, _column(found[3])


def _by_row(ranges: Iterable[_Range]) -> Merged:
    merged: Merged = {}
    wide: set[int] = set()
    for first, left, last, right in islice(ranges, _MOST_MERGED):
        if left != right:
            wide.add(first)
        if last > first:
            merged.setdefault(first, []).append((left, first + 1, last))
    top = min(merged, default=-1)
    if top in wide:  # a header in several rows, of which the last one labels all columns
        merged[top] = [(column, last, last) for column, _, last in merged[top]]
    return merged


def _column(letters: bytes) -> int:
    return reduce(lambda number, letter: 26 * number + letter - ord("A") + 1, letters, 0) - 1


def fill_merged(rows: Iterable[list[str]], merged: Merged) -> Iterator[list[str]]:
    """Repeat values of merged cells in the rows that have others."""
    values: dict[int, tuple[str, int, int]] = {}  # by column, each with its first and last row
    for number, row in enumerate(rows):
        if values and any(row):
            values = {i: one for i, one in values.items() if one[2] >= number}
            row.extend([""] * (max(values, default=-1) + 1 - len(row)))
            for column, (value, first, _) in values.items():
                if first <= number:
                    row[column] = row[column] or value
        for column, first, last in merged.get(number, ()):
            if column < len(row) and row[column]:
                values[column] = row[column], first, last
        yield row


def sheet_blocks(name: str, rows: Iterable[Sequence[str]], allowance: RowQuota) -> Iterator[Block]:
    """Blocks of a sheet: its name as a heading, then its rows."""
    yield Block(name, _SHEET_LEVEL)
    yield from row_blocks(allowance.of(rows, f"sheet {name!r}"))


def _row(cells: Sequence[Any]) -> list[str]:
    return [
        "" if cell.data_type == "e" else format_cell(cell.value, str(cell.number_format or ""))
        for cell in cells
    ]


def _records(lines: Iterator[str]) -> Iterator[list[str]]:
    beginning = list(islice(lines, _SNIFFED_LINES))
    declared = re.fullmatch(r"sep=(\W)\n?", beginning[0], re.IGNORECASE) if beginning else None
    if declared:
        del beginning[0]
    delimiter = (
        declared[1] if declared else _delimiter([one[:_SNIFFED_LENGTH] for one in beginning])
    )
    # An unclosed quotation mark must not be an error.
    csv.field_size_limit(_NO_LIMIT)
    reader = csv.reader(chain(beginning, lines), delimiter=delimiter, skipinitialspace=True)
    try:
        yield from reader
    except csv.Error as error:
        raise LoadError(f"it is not a table of separated values ({error})") from error


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """Split into lines at any line ending; each ends with a line feed."""
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    translated = (newlines.decode(piece.replace("\x00", "")) for piece in pieces)
    return (f"{line}\n" for line in lines_of(translated))


def _delimiter(lines: Sequence[str]) -> str:
    """The delimiter that splits most lines into equally many cells, at least two."""

    def merit(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            return 0, 0
        usual = max(set(widths), key=lambda width: (widths.count(width), width), default=0)
        return (widths.count(usual) / len(widths), usual) if usual > 1 else (0, 0)

    return max(_DELIMITERS, key=merit)


def format_cell(value: object, number_format: str = "General") -> str:
    """Format a cell's value as the spreadsheet shows it, except dates."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, number_format)
    if isinstance(value, dt.date | dt.time):
        return format_moment(value)
    return "" if value is None else str(value)


def _number(value: float, number_format: str) -> str:
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - not a number
        return ""
    if (filled := _fill_in(value, number_format)) is not None:
        return filled
    found = _pattern(number_format)
    if found is None:
        return _plain(value)
    before, pattern, decimals, after = found
    decimals = min(decimals, _MOST_DECIMALS)
    shown = abs(Decimal(str(value))) * (100 if _is_percentage(number_format) else 1)
    if shown.adjusted() > _MOST_DIGITS:
        return _plain(value)
    shown = shown.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _WIDE)
    digits = f"{shown:,f}" if "," in pattern else f"{shown:f}"
    least = pattern.partition(".")[0].count("0")  # as in postcodes
    digits = digits.zfill(least + len(digits) - len(digits.partition(".")[0]))
    sign = "-" if value < 0 and digits.strip("0.,") else ""
    return f"{sign}{before}{digits}{after}".strip()


def _fill_in(value: float, number_format: str) -> str | None:
    """Fill in a format with digits in several groups, such as ``000-00-0000``; None for others."""
    if len(number_format) > _LONGEST_FORMAT:
        return None
    template = _LITERAL.sub(r"\1\2", number_format)
    places = sum(template.count(place) for place in "0#")
    if not _TEMPLATE.fullmatch(template) or value != int(value) or not 0 <= value < 10**places:
        return None
    digits = f"{int(value):0{template.count('0')}d}".rjust(places)
    filled = iter(digits)
    return "".join(next(filled) if one in "0#" else one for one in template).strip()


def _is_percentage(number_format: str) -> bool:
    return "%" in _QUOTED.sub("", number_format.split(";", maxsplit=1)[0])


def _plain(value: float) -> str:
    words = format(value, _SIGNIFICANT) if isinstance(value, float) else str(value)
    # Written 1200000000, not 1.2e+09.
    return f"{value:.0f}" if "e+" in words and abs(value) < 1e21 else words  # noqa: PLR2004


def _pattern(number_format: str) -> tuple[str, str, int, str] | None:
    """Parse a number format into prefix, digit pattern, number of decimals, and suffix; None if it
    has no such form.
    """
    if len(number_format) > _LONGEST_FORMAT or number_format in ("", "General", "@"):
        return None
    section = number_format.split(";", maxsplit=1)[0]
    section = _BRACKETS.sub("", _CURRENCY.sub(r'"\1"', section))
    section = _FILL.sub("", section).replace("\\", "")
    kept = _QUOTED.sub(lambda quoted: "".join(c for c in quoted[1] if c not in "#0?,"), section)
    found = _DIGITS.search(kept)
    if found is None or found[0].endswith(","):  # scaled to thousands or millions
        return None
    before, after = kept[: found.start()], kept[found.end() :]
    if re.search(r"[Ee][+-]|/|[#0?]", after) or "/" in before:
        return None  # scientific, fraction or telephone number
    optional = found[1] is not None and "0" not in found[1]
    return None if optional else (before, found[0], len(found[1] or ""), after)
