"""The page of a passage and those most similar to it. Pure, without scripts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ui import strings
from ui.pages import highlights, hit_html, insight_strings, reader
from ui.pages.view_parameters import Sight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag import Neighbour, Passage

ROOT = "../../"
"""The relative path to the search page."""


def page(passage: Passage, title: str, source: str, found: Sequence[Neighbour]) -> str:
    """Render the passage, then its neighbours, nearest first."""
    nav = (
        f'<nav aria-label="{strings.READING}"><a class="back" href="{ROOT}">'
        f"{strings.TO_SEARCH}</a></nav>"
    )
    others = (
        "".join(_article(one.passage, one.title, one.source, one.likeness) for one in found)
        or f"<p>{insight_strings.ALONE}</p>"
    )
    return reader.shell(
        insight_strings.NEIGHBOURS,
        f'{nav}<div class="insight near"><header><h1>{insight_strings.NEIGHBOURS}</h1></header>'
        f"{_article(passage, title, source)}<h2>{insight_strings.NEAREST}</h2>{others}</div>",
        ROOT,
    )


def _article(passage: Passage, title: str, source: str, likeness: float | None = None) -> str:
    sight = Sight(passage=(passage.start, passage.end))
    href = escape(ROOT + sight.address(passage.document_id))
    blocks = [passage.text[slice(*block)] for block in highlights.paragraphs(passage.text)]
    body = "".join(f"<p{hit_html.lines(block)}>{escape(block)}</p>" for block in blocks)
    more = (
        ""
        if likeness is None
        else f'<a class="open" href="{escape(ROOT + hit_html.neighbours_address(passage.id))}">'
        f"{strings.LIKE}</a>"
    )
    return (
        f'<article class="hit"><header><h2><a href="{href}">{escape(title)}</a></h2>'
        f'<div class="facts"><span class="source">{escape(strings.file_name(source))}</span>'
        f"{_likeness(likeness)}</div></header><blockquote>{body}</blockquote>"
        f'<footer>{more}<a href="{href}">{strings.OPEN}</a></footer></article>'
    )


def _likeness(likeness: float | None) -> str:
    if likeness is None:
        return ""
    return (
        f'<span title="{insight_strings.LIKENESS_HELP}">'
        f"{insight_strings.LIKENESS.format(cosine=likeness)}</span>"
    )
