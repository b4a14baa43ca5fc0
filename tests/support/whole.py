"""Loaders that return parts, for tests of what is in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import ParamSpec

from rag.documents.loaded import Loaded
from rag.documents.pdf import loader
from rag.types import Heading, Span

_P = ParamSpec("_P")


def whole(load: Callable[_P, Iterator[Loaded]]) -> Callable[_P, Loaded]:
    """The loader, returning all parts as one."""

    def load_whole(*args: _P.args, **kwargs: _P.kwargs) -> Loaded:
        parts = list(load(*args, **kwargs))
        text = ""
        headings: list[Heading] = []
        pages: list[Span] = []
        for part in parts:
            text += "\n\n" if text and part.text else ""
            pages[-1:] = [Span(one.start, len(text)) for one in pages[-1:]]
            headings += (Heading(one.span.shifted(len(text)), one.level) for one in part.headings)
            pages += (one.shifted(len(text)) for one in part.pages)
            text += part.text
        return replace(
            parts[0],
            text=text,
            headings=tuple(headings),
            pages=tuple(pages),
            page_labels=tuple(label for part in parts for label in part.page_labels),
            warnings=tuple(warning for part in parts for warning in part.warnings),
        )

    return load_whole


load_pdf = whole(loader.load_pdf)
