from __future__ import annotations

import time

import pytest

from rag.documents.formats.content_lines import load_content_lines


def _text(*lines: str) -> str:
    return "\n\n".join(one.text for one in load_content_lines("\r\n".join(lines).encode()))


def test_an_event() -> None:
    """Its summary is a heading; times say their zone; what is for programs is left out."""
    assert _text(
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x", "BEGIN:VTIMEZONE", "TZID:Europe/Berlin"),
        *("BEGIN:STANDARD", "DTSTART:19701025T030000", "END:STANDARD", "END:VTIMEZONE"),
        *("BEGIN:VEVENT", "UID:1", "DTSTART;TZID=Europe/Berlin:20240612T093000"),
        *("DTEND:20240612T090000Z", "SUMMARY:Budget review", "RRULE:FREQ=WEEKLY;BYDAY=MO"),
        *('ORGANIZER;CN="Doe: Jane";ROLE=CHAIR:mailto:jane@example.org', "LOCATION:Room 4\\, left"),
        *("DESCRIPTION:Bring the figures of the sec", " ond quarter\\nand a pen", "END:VEVENT"),
        "END:VCALENDAR",
    ) == (
        "Budget review\n\nStart: 12 June 2024 09:30 Europe/Berlin\nEnd: 12 June 2024 09:00 UTC\n"
        "Repeats: FREQ=WEEKLY;BYDAY=MO\nOrganizer: Doe: Jane (jane@example.org)\n"
        "Location: Room 4, left\nDescription: Bring the figures of the second quarter and a pen"
    )


def test_contacts() -> None:
    """Each is headed by its name; old ones are quoted-printable."""
    assert _text(
        *("BEGIN:VCARD", "VERSION:2.1", "N:Doe;Jane", "FN:Jane Doe", "BDAY:19800412"),
        *("ADR;TYPE=home:;;Main St 5;Kiel;;24103;Germany", "item1.TEL;CELL:+49 1"),
        *("NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:From K=C3=B6ln =", "originally"),
        *("END:VCARD", "BEGIN:VCARD", "FN:Ben", "END:VCARD"),
    ) == (
        "Jane Doe\n\nBirthday: 12 April 1980\nAddress: Main St 5, Kiel, 24103, Germany\n"
        "Telephone: +49 1\nNote: From Köln originally\n\nBen"
    )


def test_a_contact_without_a_formatted_name() -> None:
    """Its other name is the heading."""
    contact = ("BEGIN:VCARD", "VERSION:2.1", "TEL:+49 1", "N:Doe;Jane", "END:VCARD")
    assert _text(*contact) == "Doe, Jane\n\nTelephone: +49 1"


def test_binary_values() -> None:
    """They are no words, however they are marked."""
    assert _text(
        *("BEGIN:VEVENT", "SUMMARY:Tea", "ATTACH;ENCODING=BASE64;VALUE=BINARY:AAAA", " BBBB"),
        *("ATTACH;FMTTYPE=image/png;ENCODING=b:AAAA", "X-PICTURE;JPEG;BASE64:AAAA"),
        *("IMAGE;VALUE=URI:data:image/png;base64,AAAA", "ATTACH:https://x.org/a.pdf", "END:VEVENT"),
    ) == ("Tea\n\nAttach: https://x.org/a.pdf")


@pytest.mark.parametrize("continued", ["=\r\nx", "\r\n x"])
def test_long_values_take_no_time(continued: str) -> None:
    """However many lines they are folded over."""
    start = time.perf_counter()
    text = _text("NOTE;ENCODING=QUOTED-PRINTABLE:x" + 500_000 * continued)
    assert text == f"Note: {'x' * 500_001}"
    assert time.perf_counter() - start < 5


def test_what_is_malformed_stays() -> None:
    """No line is dropped because it isn't one; nothing needs an end."""
    text = _text("END:X", "no colon", "DTSTART:20241399", "BEGIN:VEVENT", "LOCATION:Quay")
    assert text.split("\n\n") == ["Location: Quay", "no colon\nStart: 20241399"]
