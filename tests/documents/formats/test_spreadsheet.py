from __future__ import annotations

import datetime as dt
import io

import openpyxl
import pytest
from whole import whole

from rag.documents.formats import spreadsheet
from rag.documents.formats.spreadsheet import format_cell
from rag.documents.formats.spreadsheet import load_csv as csv_parts
from rag.documents.formats.spreadsheet import load_xlsx as xlsx_parts

load_csv = whole(csv_parts)
load_xlsx = whole(xlsx_parts)


def _saved(workbook: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def _people() -> bytes:
    workbook = openpyxl.Workbook()
    workbook.properties.title = "The house"
    workbook.properties.creator = "Jane Doe"
    people = workbook.active
    people.title = "People"
    people.append(["Name", "Born", "Share", "Cost", "Met"])
    people.append(["Ada Lovelace", 1815, 0.125, 1234.5, dt.datetime(2024, 3, 5)])  # noqa: DTZ001
    people.append(["Grace Hopper", 1906, None, -9, dt.datetime(2024, 3, 5, 14, 30)])  # noqa: DTZ001
    people["C2"].number_format = "0.0%"
    people["D2"].number_format = '"$"#,##0.00'
    people["D3"].number_format = "[$€-407]#,##0.00"
    rooms = workbook.create_sheet("Rooms")
    rooms.append([1, 20.5])
    rooms.append([2, 18])
    return _saved(workbook)


PEOPLE = """\
People

Name: Ada Lovelace; Born: 1815; Share: 12.5%; Cost: $1,234.50; Met: 5 March 2024

Name: Grace Hopper; Born: 1906; Cost: -€9.00; Met: 5 March 2024 14:30

Rooms

1 | 20.5

2 | 18"""


def test_each_row_repeats_its_headers() -> None:
    """Empty cells are left out; values look as they do on the screen; no header, no labels."""
    loaded = load_xlsx(_people())
    assert loaded.text == PEOPLE
    spans = [(h.level, h.span.of(loaded.text)) for h in loaded.headings]
    assert spans == [(2, "People"), (2, "Rooms")]
    assert loaded.title == "The house"
    assert loaded.metadata == {
        "author": "Jane Doe",
        "title_from": "file",
        "author_from": "file",
        "date_from": "file",
    }
    assert loaded.date is not None


def test_captions_and_several_tables_on_a_sheet() -> None:
    """Lines above a header stay lines; an empty row ends a table, and the next has its own."""
    workbook = openpyxl.Workbook()
    for row in (
        ["Report of the year"],
        ["Town", "Lamps"],
        ["Oslo", 7],
        [],
        ["Rome", 9],
        [],
        ["Ship", "Masts", "Crew"],
        ["Beagle", 3, 74],
    ):
        workbook.active.append(row)
    assert load_xlsx(_saved(workbook)).text.split("\n\n")[1:] == [
        "Report of the year",
        "Town: Oslo; Lamps: 7",
        "Town: Rome; Lamps: 9",
        "Ship: Beagle; Masts: 3; Crew: 74",
    ]


@pytest.mark.parametrize(
    ("value", "number_format", "words"),
    [
        (1815, "General", "1815"),
        (0.1 + 0.2, "General", "0.3"),
        (1.2e9, "General", "1200000000"),
        (0.125, "0%", "13%"),
        (-0.285, "0%", "-29%"),
        (1e300, "0.00", "1" + "0" * 300 + ".00"),
        (0.5, '0.00"%"', "0.50%"),
        (1234567.891, "#,##0.00", "1,234,567.89"),
        (-12.5, "#,##0.00 [$€-407];[Red]-#,##0.00 [$€-407]", "-12.50 €"),
        (3, '0.0" kg"', "3.0 kg"),
        (12345, "0.00E+00", "12345"),
        (0.5, "# ?/?", "0.5"),
        (1067, "00000", "01067"),
        (float("inf"), "000-00-0000", ""),
        (float("nan"), "000-00-0000", ""),
        (7, "0" * 100_000 + "-0000", "7"),
        (7.5, "00.00", "07.50"),
        (12003456, "000-00-0000", "012-00-3456"),
        (5551234, "(000) 000-0000", "(000) 555-1234"),
        (1067, '"D-"00000', "D-01067"),
        (30, "00\\ 00", "00 30"),
        (1.5, "00-00", "1.5"),
        (-7, "000", "-007"),
        (True, "General", "TRUE"),
        (dt.date(2024, 3, 5), "yyyy-mm-dd", "5 March 2024"),
        (dt.time(9, 5), "hh:mm", "09:05"),
        (float("nan"), "General", ""),
        (None, "General", ""),
        (10**400, "0.00", str(10**400)),
    ],
)
def test_values_look_as_on_the_screen(value: object, number_format: str, words: str) -> None:
    """The usual formats are followed; of others, the number itself is shown."""
    assert format_cell(value, number_format) == words


def test_a_huge_sheet_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound rows are left out, never in silence."""
    allowance = spreadsheet.RowQuota(rows=3)
    monkeypatch.setattr(spreadsheet, "RowQuota", lambda: allowance)
    loaded = load_csv(b"name,born\n" + b"Ada,1815\n" * 9)
    assert loaded.text == "name: Ada; born: 1815\n\nname: Ada; born: 1815"
    (warning,) = loaded.warnings
    assert warning.startswith("the table: everything from row 4 on was left out; at most 100,000")


@pytest.mark.no_cover  # how long it takes is looked at
def test_a_cell_far_from_all_others_is_read() -> None:
    """The last cell that a sheet can have."""
    workbook = openpyxl.Workbook()
    workbook.active["A1"] = "near"
    workbook.active["XFD1048576"] = "far"
    assert load_xlsx(_saved(workbook)).text == "Sheet\n\nnear\n\nfar"


def test_formulas_without_a_result_are_reported() -> None:
    """A program that writes formulas need not compute them: their values are unknown."""
    workbook = openpyxl.Workbook()
    workbook.active.append(["Sum", "=1+1"])
    (warning,) = load_xlsx(_saved(workbook)).warnings
    assert warning.startswith("1 formulas have no stored result")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"name,born\nAda,1815\n", "name: Ada; born: 1815"),
        (b"name;born\r\nAda;1815,5\r\nGrace;\r\n", "name: Ada; born: 1815,5\n\nname: Grace"),
        (b"name\tcity\nAda\tLondon, Kent\n", "name: Ada; city: London, Kent"),
        (b"a|b\n1|2\n", "a: 1; b: 2"),
        (b"sep=;\nname;born\nAda;1815\n", "name: Ada; born: 1815"),
        (b"1,2\n3,4\n", "1 | 2\n\n3 | 4"),
        (b"town,2019,2020\nOslo,5.5,6\n", "town: Oslo; 2019: 5.5; 2020: 6"),
        (b'name,said\nAda,"two\nlines; ""so"""\n', 'name: Ada; said: two lines; "so"'),
        (b'name,said\nAda,"never closed\n', "name: Ada; said: never closed"),
        (b"word\nlamp\n", "word\n\nlamp"),
        (b"\xef\xbb\xbfname,born\nAda,1815", "name: Ada; born: 1815"),
        ("name,born\nZoë,1815\n".encode("utf-16"), "name: Zoë; born: 1815"),
        ("name,born\nZoë,1815\n".encode("cp1252"), "name: Zoë; born: 1815"),
        (b"", ""),
        (b"name,born\n", "name | born"),
    ],
)
def test_separated_values(data: bytes, text: str) -> None:
    """Delimiter, header and encoding are found; quotation marks may hold anything."""
    assert load_csv(data).text == text


def test_a_table_without_a_header_keeps_its_first_row() -> None:
    """A first row that is like the others is no header."""
    assert (
        load_csv(b"Ada,yes\nGrace,no\nMary,yes\n").text == "Ada | yes\n\nGrace | no\n\nMary | yes"
    )
