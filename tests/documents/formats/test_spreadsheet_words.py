"""Every cell with words is somewhere in the text, and as the spreadsheet shows it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence

import openpyxl
import pytest

from rag.documents.formats import spreadsheet
from rag.documents.loaded import Loaded


def _saved(workbook: openpyxl.Workbook) -> bytes:
    saved = io.BytesIO()
    workbook.save(saved)
    return saved.getvalue()


def _sheet(rows: Sequence[Sequence[object]], *merged: str) -> bytes:
    workbook = openpyxl.Workbook()
    assert workbook.active is not None
    for row in rows:
        workbook.active.append(row)
    for cells in merged:
        workbook.active.merge_cells(cells)  # type: ignore[union-attr]
    return _saved(workbook)


def _rows(data: bytes) -> list[str]:
    (loaded,) = spreadsheet.load_xlsx(data)
    assert isinstance(loaded, Loaded)
    return loaded.text.split("\n\n")[1:]


def _csv(*lines: str) -> list[str]:
    (loaded,) = spreadsheet.load_csv("\n".join(lines).encode())
    return loaded.text.split("\n\n")


def test_labels_of_empty_columns_and_notes_beside_a_header() -> None:
    """They stand above the rows, once; labels of the others are in each row."""
    rows = [["Item", "Price", "Allergens", None, "Valid until 30 June"], ["Bread", 3], ["Roll", 1]]
    assert _rows(_sheet(rows)) == [
        "Allergens | Valid until 30 June",
        "Item: Bread; Price: 3",
        "Item: Roll; Price: 1",
    ]


def test_a_form_without_entries() -> None:
    """A sheet that is only a header has its words."""
    assert _rows(_sheet([["Order number", "Delivery address"]])) == [
        "Order number | Delivery address"
    ]


def test_cells_merged_over_rows() -> None:
    """Their value counts for each row that has others, in any column."""
    rows = [["Team", "Person", "Room"], ["Red", "Ada", 1], [None, "Ben"], [], [None, "Cem", 3]]
    assert _rows(_sheet(rows, "A2:A4", "C2:C3")) == [
        "Team: Red; Person: Ada; Room: 1",
        "Team: Red; Person: Ben; Room: 1",
        "Person: Cem; Room: 3",
    ]


def test_a_header_in_two_rows() -> None:
    """The last one labels the columns, with the cells that are merged down to it."""
    rows = [["Town", "Sales"], [None, "North", "South"], ["Kiel", 1, 2], ["Bonn", 3, 4]]
    assert _rows(_sheet(rows, "A1:A2", "B1:C1")) == [
        "Town | Sales",
        "Town: Kiel; North: 1; South: 2",
        "Town: Bonn; North: 3; South: 4",
    ]


def test_a_workbook_of_the_strict_standard() -> None:
    """Its namespaces are others (ISO/IEC 29500 Strict)."""
    plain = zipfile.ZipFile(io.BytesIO(_sheet([["Name", "Town"], ["Ada", "Kiel"]])))
    strict = io.BytesIO()
    with zipfile.ZipFile(strict, "w") as archive:
        for name in plain.namelist():
            found = rb"http://schemas.openxmlformats.org/(spreadsheetml|officeDocument)/2006/"
            part = re.sub(found, rb"http://purl.oclc.org/ooxml/\1/", plain.read(name))
            archive.writestr(name, part)
    assert b"purl" in zipfile.ZipFile(strict).read("xl/workbook.xml")
    assert _rows(strict.getvalue()) == ["Name: Ada; Town: Kiel"]


def test_what_stands_above_a_table() -> None:
    """The account of a bank statement names no columns, as the row above the bookings does: that is
    a heading, which keeps the two apart.
    """
    bookings = ("3.1.2024;-12,50;Books", "5.1.2024;-700,00;Rent")
    shown = [
        "Day | Amount | For",
        "Day: 3.1.2024; Amount: -12,50; For: Books",
        "Day: 5.1.2024; Amount: -700,00; For: Rent",
    ]
    lines = ("Account;DE00 1234", "Period;January 2024", "Day;Amount;For", *bookings)
    assert _csv(*lines) == ["Account | DE00 1234", "Period | January 2024", *shown]
    lines = ("Account:;DE00 1234", "Period:;January 2024", "", "Day;Amount;For", *bookings)
    assert _csv(*lines) == ["Account: DE00 1234", "Period: January 2024", *shown]


@pytest.mark.parametrize(
    ("lines", "row"),
    [
        (["Name,Born", "Ada,1815,poet", "Ben,1820,smith"], "Name: Ada; Born: 1815; poet"),
        (["Name,Town", "Ada,London,poet", "Ben,Rome,smith"], "Name: Ada; Town: London; poet"),
        (["List", "Name,Born", "Ada,1815"], "Name: Ada; Born: 1815"),
    ],
)
def test_a_header_without_a_label_for_a_column(lines: list[str], row: str) -> None:
    """It still is the header: a row of names without numbers below is no better one."""
    assert row in _csv(*lines)
