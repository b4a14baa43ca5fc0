from __future__ import annotations

import json

import pytest

from rag.documents.formats.notebook import load_notebook
from rag.errors import LoadError


def test_cells_and_outputs() -> None:
    """Text is Markdown; code and what it printed are code; pictures are left out."""
    cells = [
        {"cell_type": "markdown", "source": ["# Tide\n", "High *water*."]},
        {
            "cell_type": "code",
            "source": "x = 1\n\n# no heading\nprint(x)",
            "outputs": [{"text": ["1\n"]}, {"data": {"text/plain": "3.4 m", "image/png": "iVB"}}],
        },
    ]
    (loaded,) = load_notebook(json.dumps({"nbformat": 4, "cells": cells}).encode())
    assert loaded.text == "Tide\n\nHigh water.\n\nx = 1\n\n# no heading\nprint(x)\n\n1\n\n3.4 m"
    assert (loaded.title, len(loaded.headings)) == ("Tide", 1)


def test_outputs_in_markup() -> None:
    """The version of an output that says most is read; errors are; a missing one costs nothing."""
    table = "<table>\n<tr><th>Port<th>Depth</tr>\n\n    <tr><td>Kiel<td>9</tr>\n</table>"
    versions: list[dict[str, object]] = [
        {"text/markdown": ["## Depth\n", "in *metres*"], "text/plain": "<Markdown>"},
        {"text/html": table, "text/plain": "0 Kiel 9"},
        {"text/html": "<div id='a'></div>\n\n<script>draw()</script>", "text/plain": "Figure 7"},
    ]
    error = {"output_type": "error", "ename": "KeyError", "evalue": "'tide'", "traceback": ["…"]}
    cells = [
        {"cell_type": "code", "source": None, "outputs": None},
        {
            "cell_type": "code",
            "source": [],
            "outputs": [*({"data": one} for one in versions), error],
        },
    ]
    (loaded,) = load_notebook(json.dumps({"cells": cells, "worksheets": None}).encode())
    assert (
        loaded.text
        == "Depth\n\nin metres\n\nPort | Depth\nKiel | 9\n\nFigure 7\n\nKeyError: 'tide'"
    )
    old = {"output_type": "pyout", "html": ["<b>Low</b> water"], "text": ["<HTML>"]}
    cells = [{"cell_type": "code", "input": "show()", "outputs": [old]}]
    (loaded,) = load_notebook(json.dumps({"worksheets": [{"cells": cells}]}).encode())
    assert loaded.text == "show()\n\nLow water"


@pytest.mark.parametrize("source", ["[1]", "{", '{"cells": [1]}', '{"cells": 1}'])
def test_other_json(source: str) -> None:
    """It is refused, with advice."""
    with pytest.raises(LoadError, match="it is not a valid notebook; "):
        list(load_notebook(source.encode()))
