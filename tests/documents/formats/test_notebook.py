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


@pytest.mark.parametrize("source", ["[1]", "{", '{"cells": [1]}', '{"cells": 1}'])
def test_other_json(source: str) -> None:
    """It is refused, with advice."""
    with pytest.raises(LoadError, match="it is not a valid notebook; "):
        list(load_notebook(source.encode()))
