"""The page of a passage and those most similar to it. Pure, without scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ui.pages import highlights, insight_strings
from ui.pages.view_parameters import Sight
from ui.templates import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag import Neighbour, Passage
    from ui.pages.highlights import Paragraph


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage with the title and source of its document, and its address, relative to the search
    page; ``likeness`` is None for the passage itself.
    """

    id: str
    title: str
    source: str
    href: str
    paragraphs: Sequence[Paragraph]
    likeness: float | None


def page(passage: Passage, title: str, source: str, found: Sequence[Neighbour]) -> str:
    """Render the passage, then its neighbours, nearest first."""
    return render(
        "neighbours",
        root="../../",
        texts=insight_strings,
        chosen=_view(passage, title, source),
        neighbours=[_view(one.passage, one.title, one.source, one.likeness) for one in found],
    )


def _view(passage: Passage, title: str, source: str, likeness: float | None = None) -> PassageView:
    sight = Sight(passage=(passage.start, passage.end))
    return PassageView(
        passage.id,
        title,
        source,
        sight.address(passage.document_id),
        highlights.highlighted(passage.text),
        likeness,
    )
