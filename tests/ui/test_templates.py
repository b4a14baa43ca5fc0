"""All templates: nothing is exempt from escaping, and no value stands where escaping is no help."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from ui import templates
from ui.templates import render

TEMPLATES = {path.name: path.read_text() for path in Path(templates.__path__[0]).glob("*.html")}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_value_cannot_become_markup(name: str) -> None:
    """Values stand in text and in quoted attributes, never in a script or an event handler."""
    template = TEMPLATES[name]
    assert not re.search(r"\|\s*safe\b|autoescape|\|\s*tojson", template)
    assert not re.search(r"\s[\w-]+={[{%]", template)  # an attribute without quotes
    assert not re.search(r'\son\w+="', template)
    assert not re.search(r"<(?:script|style)[^>]*>[^<]", template)


def test_a_missing_value_is_an_error() -> None:
    """A page is never shown with a hole in it."""
    with pytest.raises(UndefinedError, match="documents"):
        render("newest")
