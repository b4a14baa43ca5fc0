"""Jupyter notebooks (nbformat 4 and 3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

from rag.documents.character_encoding import decode
from rag.documents.content import Content, whole
from rag.documents.formats.markdown import load_markdown
from rag.documents.loaded import Loaded
from rag.errors import LoadError

_FENCE = "~" * 12
_INVALID = "it is not a valid notebook; open it in Jupyter and save it again"


def load_notebook(content: Content) -> Iterator[Loaded]:
    """Load a notebook as Markdown, in which code and its output in plain text are code blocks.

    Raises LoadError if it is not a notebook.
    """
    try:
        notebook = json.loads(decode(whole(content))[0])
        sheets = [notebook, *notebook.get("worksheets", ())]
        cells = [cell for sheet in sheets for cell in sheet.get("cells", ())]
        source = "\n\n".join(chain.from_iterable(map(_sources, cells)))
    except (ValueError, RecursionError, AttributeError, TypeError) as error:
        raise LoadError(_INVALID) from error
    return load_markdown(source.encode("utf-8", "replace"))


def _sources(cell: Any) -> Iterator[str]:  # noqa: ANN401 (JSON)
    """Markdown of a cell, then of its outputs."""
    words = "".join(cell.get("source", cell.get("input", "")))
    if cell.get("cell_type") in ("markdown", "heading"):
        yield f"# {words}" if cell["cell_type"] == "heading" else words
    elif words.strip():
        yield f"{_FENCE}\n{words}\n{_FENCE}"
    for output in cell.get("outputs", ()):
        shown = output.get("text") or output.get("data", {}).get("text/plain", "")
        if words := "".join(shown).strip("\n"):
            yield f"{_FENCE}\n{words}\n{_FENCE}"
