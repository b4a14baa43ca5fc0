"""Binary workbooks, and those that openpyxl can't interpret."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlwt

from rag.documents.registry import load
from rag.errors import LoadError
from rag.types import Document


def _document(path: Path, content: bytes) -> Document:
    path.write_bytes(content)
    (document,) = load(path)
    assert isinstance(document, Document)
    return document


def _old_workbook() -> bytes:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Ships")
    for column, label in enumerate(("Port", "Ship", "Built", "Length")):
        sheet.write(0, column, label)
    sheet.write_merge(1, 2, 0, 0, "Kiel")
    built = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for row, ship in enumerate(("Anna", "Größe"), 1):
        sheet.write(row, 1, ship)
        sheet.write(row, 2, dt.date(1985, 3, row), built)
        sheet.write(row, 3, 20.5 * row)
    saved = io.BytesIO()
    workbook.save(saved)
    return saved.getvalue()


def test_a_workbook_of_excel_97(tmp_path: Path) -> None:
    """Dates and numbers are values, and merged cells count for each row."""
    document = _document(tmp_path / "a.xls", _old_workbook())
    assert document.text.split("\n\n") == [
        "Ships",
        "Port: Kiel; Ship: Anna; Built: 1 March 1985; Length: 20.5",
        "Port: Kiel; Ship: Größe; Built: 2 March 1985; Length: 41",
    ]
    assert document.warnings == ()


def test_a_damaged_one(tmp_path: Path) -> None:
    """Cut anywhere, it says what is wrong or what was left."""
    whole = _old_workbook()
    for size in range(600, len(whole), 700):
        try:
            _document(tmp_path / "a.xls", whole[:size])
        except LoadError as error:
            assert "; " in str(error)  # noqa: PT017 - either is right


def _invalid(workbook: openpyxl.Workbook, row: str = "") -> bytes:
    """A workbook with another row of a sheet, or else styles, that openpyxl refuses."""
    saved = io.BytesIO()
    workbook.save(saved)
    broken = io.BytesIO()
    with zipfile.ZipFile(saved) as before, zipfile.ZipFile(broken, "w") as after:
        for name in before.namelist():
            part = before.read(name)
            if not row:
                part = part.replace(b"<patternFill", b"<unheardOf")
            after.writestr(name, part.replace(b"</sheetData>", f"{row}</sheetData>".encode()))
    return broken.getvalue()


@pytest.mark.parametrize("row", ["", '<row r="4"><c r="A4" s=""><v>1</v></c></row>'])
def test_parts_that_are_invalid(tmp_path: Path, row: str) -> None:
    """Some programs write styles or cells that openpyxl refuses; a warning says what that costs."""
    workbook = openpyxl.Workbook()
    assert workbook.active is not None
    for cells in (["Name", "Share"], ["Ada", 0.125]):
        workbook.active.append(cells)
    workbook.active["B2"].number_format = "0.0%"
    document = _document(tmp_path / "a.xlsx", _invalid(workbook, row))
    assert "Name: Ada; Share: 0.125" in document.text
    (warning,) = document.warnings
    assert warning.startswith("parts of it are invalid, so numbers are shown without their formats")


def test_cells_that_lie_far_apart(tmp_path: Path) -> None:
    """What lies between them would take more memory than there is; empty cells don't count."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet["A1"], sheet["B2"] = "Name", "Ada"
    sheet["XFD1000000"].number_format = "0.0%"
    assert "Ada" in _document(tmp_path / "a.xlsx", _invalid(workbook)).text
    sheet["XFD1000000"] = "Kiel"
    with pytest.raises(LoadError, match="extends over more than 3,000,000 cells, "):
        _document(tmp_path / "a.xlsx", _invalid(workbook))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"Name\tBorn\nAda\t1815\n", "Name: Ada; Born: 1815"),
        (b"<html><table><tr><td>Ada</td><td>1815</td></tr></table>", "Ada | 1815"),
        (
            b'<?xml version="1.0"?><Row><Cell>Ada</Cell><Cell>1815</Cell></Row>',
            "Cell: Ada\nCell: 1815",
        ),
    ],
)
def test_tables_that_are_called_workbooks(tmp_path: Path, content: bytes, text: str) -> None:
    """Programs export text, pages and XML as .xls, which Excel opens."""
    document = _document(tmp_path / "a.xls", content)
    assert document.text == text
    assert document.warnings
