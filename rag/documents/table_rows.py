"""Write table rows as paragraphs that pair each cell with its header."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby

from rag.documents.loaded import Block
from rag.documents.whitespace import one_line
from rag.text.sentences import LONGEST_SENTENCE

_LONGEST_LABEL = 60
_MOST_WORDS = 8
_LOOKED_AT = 50
"""Number of rows below the first that are compared with it to detect a header."""
_LONGEST_PREAMBLE = 20
_HEADER_LEVEL = 6
_NUMBER = re.compile(r"[^\w\s]{0,2}\d")
_MOST_CELLS_LOOKED_AT = 200_000


def row_blocks(rows: Iterable[Sequence[str]]) -> Iterator[Block]:
    """Yield one block per row, "Name: Ada Lovelace; Born: 1815", without empty cells. Single pass.

    An empty row ends a table; the next table may have its own header, and otherwise uses the
    previous one. What stands above a header, such as a caption or the account of a bank statement,
    is lines of text, and so are labels of columns without a value, which may be notes. Without a
    header, a row's cells are joined, "Ada Lovelace | 1815". A header below several of them is
    a heading as well, so that they aren't in one passage with its table; a caption is.
    """
    header: dict[int, str] = {}
    is_below_rows = False
    for table in _tables(rows):
        beginning = list(_beginning(table))
        captions = _preamble(beginning)
        body = beginning[captions:]
        own = _header(body)
        columns = {i for row in body[bool(own) :] for i, cell in enumerate(row) if cell}
        if own:
            header, body = own, body[1:]
        elif not columns <= header.keys():
            header = {}
        yield from chain.from_iterable(_plain(row) for row in beginning[:captions])
        if own and (is_below_rows or _has_rows(beginning[:captions])):
            yield Block(" | ".join(own.values()), _HEADER_LEVEL)
        is_below_rows = not header and _has_rows(body)
        if unused := [label for i, label in own.items() if i not in columns]:
            yield from _split_row(unused, " | ")
        for row in chain(body, table):
            yield from _label_cells(row, header) if header else _plain(row)


def _tables(rows: Iterable[Sequence[str]]) -> Iterator[Iterator[list[str]]]:
    """Split rows into tables of at least one row each, to be consumed in order."""
    cleaned = ([one_line(cell) for cell in row] for row in rows)
    return (table for is_filled, table in groupby(cleaned, key=any) if is_filled)


def _beginning(table: Iterator[list[str]]) -> Iterator[list[str]]:
    """The rows used to detect the header: all rows of an ordinary table."""
    cells = 0
    for number, row in enumerate(table, 1):
        yield row
        cells += len(row)
        if number > 1 and cells > _MOST_CELLS_LOOKED_AT:
            return


def _preamble(rows: Sequence[Sequence[str]]) -> int:
    """Number of rows above a table: those with a single cell, or with fewer columns than most, if
    the first full row names the columns of numbers below it.
    """
    extents = [max(i for i, cell in enumerate(row) if cell) for row in rows]
    usual = Counter(extents).most_common(1)[0][0]
    full = next(i for i, extent in enumerate(extents) if extent >= usual)
    if 0 < full <= _LONGEST_PREAMBLE and not any(map(_is_number, rows[full])):
        below = rows[full + 1 : full + 1 + _LOOKED_AT]
        named = _header(rows[full:])
        numbers = Counter(i for row in below for i in named if i < len(row) and _is_number(row[i]))
        if 2 * max(numbers.values(), default=0) > len(below):
            return full
    return next((i for i, row in enumerate(rows) if _has_text(row) > 1), 0)


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.match(cell))


def _has_text(row: Sequence[str]) -> int:
    return sum(map(bool, row))


def _has_rows(rows: Iterable[Sequence[str]]) -> bool:
    """Whether these are not only captions, and a row of columns' groups above the header."""
    return sum(_has_text(row) > 1 for row in rows) > 1


def _plain(row: Sequence[str]) -> Iterator[Block]:
    cells = [cell for cell in row if cell]
    is_field = len(cells) == 2 and cells[0].endswith(":")  # noqa: PLR2004 - a name and a value
    return _split_row(cells, " " if is_field else " | ")


def _label_cells(row: Sequence[str], header: dict[int, str]) -> Iterator[Block]:
    cells = ((header.get(i, ""), cell) for i, cell in enumerate(row) if cell)
    return _split_row([f"{label}: {cell}" if label else cell for label, cell in cells], "; ")


def _split_row(cells: Sequence[str], between: str) -> Iterator[Block]:
    """Write a row as one block, or as several if it is longer than a sentence may be. Each begins
    with the first cell, which usually says what the row is about.
    """
    name = cells[0] if len(cells[0]) <= _LONGEST_LABEL else ""
    stretch: list[str] = []
    size = 0
    for cell in cells:
        if size + len(cell) > LONGEST_SENTENCE and len(stretch) > bool(name):
            yield Block(between.join(stretch))
            stretch = [name] if name else []
            size = len(name)
        stretch.append(cell)
        size += len(cell) + len(between)
    yield Block(between.join(stretch))


def _header(table: Sequence[Sequence[str]]) -> dict[int, str]:
    """Header labels by column, from the first row; empty if that looks like any other row.

    A label is short, unique, and either contains a letter or is a year. Every column needs one,
    except for one column, often the first, whose cells name the rows. No label may occur among the
    cells below it.
    """
    first, below = table[0], table[1 : 1 + _LOOKED_AT]
    labels = {i: cell for i, cell in enumerate(first) if cell}
    columns = {i for row in below for i, cell in enumerate(row) if cell}
    if len(labels) < 2 or len(columns - labels.keys()) > 1:  # noqa: PLR2004 - two make a table
        return {}
    names = list(labels.values())
    if len(set(names)) < len(names) or not any(map(_is_label, names)):
        return {}
    if names[0].endswith(":"):  # it names what stands beside it
        return {}
    years = [i for i, label in labels.items() if not _is_label(label)]
    if not all(_is_year(labels[i]) for i in years) or _are_years(below, years):
        return {}
    if any(i < len(row) and row[i] == label for row in below for i, label in labels.items()):
        return {}
    return labels


def _is_label(cell: str) -> bool:
    if len(cell) > _LONGEST_LABEL or len(cell.split()) > _MOST_WORDS or cell.endswith((".", "!")):
        return False
    return any(map(str.isalpha, cell))


def _is_year(cell: str) -> bool:
    return cell.isdecimal() and len(cell) == len("1815")


def _are_years(rows: Sequence[Sequence[str]], columns: Sequence[int]) -> bool:
    """Whether apparent year labels are just data like the cells below them."""
    cells = [row[i] for row in rows for i in columns if i < len(row) and row[i]]
    return bool(cells) and all(map(_is_year, cells))
