"""Jupyter notebooks (nbformat 4 and 3)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from rag.documents.character_encoding import decode
from rag.documents.content import Content, whole
from rag.documents.formats.html import blocks_of
from rag.documents.formats.markdown import load_markdown
from rag.documents.loaded import Loaded
from rag.errors import LoadError

_FENCE = "~" * 12
_BLANK_LINES = re.compile(r"\n\s*\n")
_INVALID = "it is not a valid notebook; open it in Jupyter and save it again"


def load_notebook(content: Content) -> Iterator[Loaded]:
    """Load a notebook as Markdown, in which code and its output are code blocks, unless
    the output is Markdown or HTML.

    Raises LoadError if it is not a notebook.
    """
    try:
        notebook = json.loads(decode(whole(content))[0])
        sheets = [notebook, *(notebook.get("worksheets") or ())]
        cells = [cell for sheet in sheets for cell in sheet.get("cells") or ()]
        source = "\n\n".join(chain.from_iterable(map(_sources, cells)))
    except (ValueError, RecursionError, AttributeError, TypeError) as error:
        raise LoadError(_INVALID) from error
    return load_markdown(source.encode("utf-8", "replace"))


def _sources(cell: Any) -> Iterator[str]:  # noqa: ANN401 (JSON)
    """Markdown of a cell, then of its outputs."""
    words = "".join(cell.get("source") or cell.get("input") or "")
    if cell.get("cell_type") in ("markdown", "heading"):
        yield f"# {words}" if cell["cell_type"] == "heading" else words
    elif words.strip():
        yield _verbatim(words)
    yield from map(_shown, cell.get("outputs") or ())


def _shown(output: Any) -> str:  # noqa: ANN401 (JSON)
    """Markdown of an output in the version of it that says most, of those that Jupyter stores."""
    if "evalue" in output:
        return _verbatim(f"{output.get('ename')}: {output['evalue']}")
    versions = output.get("data") or {
        "text/html": output.get("html"),
        "text/plain": output.get("text"),
    }
    if markdown := "".join(versions.get("text/markdown") or ""):
        return markdown
    # In Markdown, HTML goes on to the next blank line.
    page = _BLANK_LINES.sub("\n", "".join(versions.get("text/html") or ""))
    if any(block.text for block in blocks_of(page)):
        return f"<div>\n{page}\n</div>"
    words = "".join(versions.get("text/plain") or "").strip("\n")
    return _verbatim(words) if words else ""


def _verbatim(words: str) -> str:
    return f"{_FENCE}\n{words}\n{_FENCE}"
