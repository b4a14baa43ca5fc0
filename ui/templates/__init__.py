"""The HTML of all pages, as Jinja2 templates: Python says what a page shows, a template how.

Every value is escaped where it is inserted, without exception: no template uses ``safe``, and no
code makes ``Markup``. Text with highlights arrives in pieces (:mod:`ui.pages.highlights`), each of
which is escaped on its own, so a document's text can't become part of a page's markup. A missing
value is an error.

A text that is read on one page stands in its template; :mod:`ui.strings`, which templates know, has
the others. ``macros.html`` has what several templates share.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rag import file_name
from ui import strings

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_ENVIRONMENT.globals["strings"] = strings
_ENVIRONMENT.filters["file_name"] = file_name
_ENVIRONMENT.filters["quote"] = partial(quote, safe="")


def render(template: str, /, **values: object) -> str:
    """Render a template, given without its ``.html``; it is compiled when it is first used."""
    return _ENVIRONMENT.get_template(f"{template}.html").render(values)
