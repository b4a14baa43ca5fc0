"""Hits made by hand, for judging."""

from __future__ import annotations

from rag import Explanation, Hit, Quote


def hit(
    source: str, text: str, answer: str, *, start: int = 0, also_in: tuple[str, ...] = ()
) -> Hit:
    """A hit whose passage begins at ``start`` in its document, which is named by its source."""
    first = start + text.index(answer)
    return Hit(
        rank=1,
        score=0.5,
        text=text,
        title="",
        source=source,
        date=None,
        page=None,
        headings=(),
        document_id=source,
        passage_id=f"{source} {start}",
        start=start,
        end=start + len(text),
        answer=Quote(answer, first, first + len(answer)),
        why=Explanation(0.5, 0.5, 0.5, 1, 1, ()),
        also_in=also_in,
    )
