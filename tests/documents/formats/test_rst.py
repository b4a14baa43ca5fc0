from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest
from whole import whole

from rag.documents.formats.rst import load_rst as rst_parts
from rag.documents.loaded import Loaded
from rag.documents.whitespace import tidy

load_rst = whole(rst_parts)


def _load(source: str) -> Loaded:
    return load_rst(source.encode())


def _headings(loaded: Loaded) -> list[tuple[int, str]]:
    return [(heading.level, heading.span.of(loaded.text)) for heading in loaded.headings]


ODE = """\
=======
The ode
=======

:Author: Ada Lovelace
:Date: 2024-03-05
:Status: *draft*

Oil *burns* ``slowly``. See [1]_ and `the wick <https://example.org>`_.

.. [1] Some say fast.

Oils
====

- whale oil

  - of the north
- rape oil

3. Fill it.
4. Light it.

Prices
------

lamp
  What gives light.

====  ===
Year  Sum
====  ===
2024  3.5
====  ===

.. code-block:: python

   def burn():
       return 1
"""

TEXT = """\
The ode

Oil burns slowly. See [1] and the wick.

[1] Some say fast.

Oils

- whale oil
  - of the north
- rape oil

3. Fill it.
4. Light it.

Prices

lamp
What gives light.

Year | Sum
2024 | 3.5

def burn():
    return 1"""


def test_the_text_is_what_a_reader_sees() -> None:
    """Markup goes, its words stay; lists, tables and code keep their form."""
    loaded = _load(ODE)
    assert loaded.text == TEXT
    assert _headings(loaded) == [(1, "The ode"), (2, "Oils"), (3, "Prices")]
    assert loaded.title == "The ode"
    assert loaded.date == dt.date(2024, 3, 5)
    assert loaded.metadata == {
        "author": "Ada Lovelace",
        "status": "draft",
        "author_from": "file",
        "date_from": "file",
    }


@pytest.mark.parametrize(
    ("above", "title", "said"),
    [
        ("", "Oil", {}),
        (".. title:: Named\n\n", "Named", {"title_from": "file"}),
        (".. title:: Oil\n\n", "Oil", {"title_from": "file"}),
        (":title: Named\n\n", "Named", {"title_from": "file"}),
        (
            ":Authors: Ada; Bob\n:lang: de\n\n",
            "Oil",
            {
                "author": "Ada, Bob",
                "author_from": "file",
                "language": "de",
                "language_from": "file",
            },
        ),
    ],
)
def test_what_the_file_says_above_its_sections(
    above: str, title: str, said: dict[str, str]
) -> None:
    """Titles of directives and fields are the file's own, and move no heading."""
    loaded = _load(f"{above}Oil\n===\n\nburns\n\nWick\n====\n\nburns too\n")
    assert (loaded.title, loaded.metadata) == (title, said)
    assert _headings(loaded) == [(1, "Oil"), (1, "Wick")]


def test_sections_without_a_title_above_them_are_the_outermost() -> None:
    """Two sections side by side are both of level 1."""
    loaded = _load("Oil\n===\n\nburns\n\nWick\n====\n\nburns too\n\nCotton\n------\n\nburns best\n")
    assert _headings(loaded) == [(1, "Oil"), (1, "Wick"), (2, "Cotton")]


def test_what_docutils_does_not_know_leaves_its_words() -> None:
    """Directives and roles of Sphinx are markup to docutils that is broken."""
    loaded = _load(
        ".. versionadded:: 3.2\n   Use :func:`~lamp.burn`.\n\n"
        "See :doc:`the manual </manual>`.\n\n.. unknown::\n   :option: x\n\n   Inside.\n"
    )
    assert loaded.text == "3.2\nUse ~lamp.burn.\n\nSee the manual.\n\nInside.".replace("~", "")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Some *emphasis never closed\n", "Some *emphasis never closed"),
        ("Titles\n====\n\nwords\n", "Titles\n\nwords"),
        ("====\nTitle\n=====\n\nwords\n", "words"),
        ("* a\nb\n  c\n", "- a"),
        ("== ==\na b\n", "a b"),
        (".. image:: lamp.png\n\nwords", "words"),
        ("|nothing| and `nowhere`_ and [9]_\n", "nothing"),
    ],
)
def test_broken_markup_still_gives_text(
    source: str, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever is wrong, the words are there, and nothing is printed."""
    assert text in _load(source).text
    assert capfd.readouterr() == ("", "")


def test_no_other_file_is_read(tmp_path: Path) -> None:
    """Directives that would put in other files or raw markup are not followed."""
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    loaded = _load(
        f".. include:: {secret}\n\n.. csv-table:: x\n   :file: {secret}\n\n"
        f".. raw:: html\n   :file: {secret}\n\n.. literalinclude:: {secret}\n\nwords\n"
    )
    assert "the secret" not in loaded.text
    assert loaded.text.endswith("words")


def test_absurd_nesting_is_read_as_it_stands() -> None:
    """Where the parser fails, the source is the text, and says so."""
    loaded = _load("".join(f"{'  ' * depth}- deep {depth}\n\n" for depth in range(400)))
    assert loaded.metadata == {"extraction": "source"}
    assert "deep 399" in loaded.text


@pytest.mark.parametrize("unit", ["*a ", "`a ", "|a ", "a_ ", "[1]_ ", "`a`_ ", ":: x\n\n"])
def test_what_would_take_the_parser_minutes_is_read_as_it_stands(unit: str) -> None:
    """Marks without number in one paragraph, or lines without number."""
    start = time.perf_counter()
    loaded = _load(unit * 30_000)
    assert loaded.metadata == {"extraction": "source"}
    assert loaded.text == tidy(unit * 30_000)
    assert time.perf_counter() - start < 10


def test_a_long_page_of_many_marks_is_parsed() -> None:
    """What counts is how many of them stand in one paragraph."""
    loaded = _load("Oil *burns* and ``wicks`` glow, see ref_.\n\n" * 1000)
    assert loaded.metadata == {}
    assert loaded.text.startswith("Oil burns and wicks glow, see ref")
