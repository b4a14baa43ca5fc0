from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.documents.loaded import Block, first_title, join_blocks
from rag.documents.whitespace import one_line, tidy


@given(st.lists(st.tuples(st.text(max_size=60), st.sampled_from([None, 1, 6]))))
@example([("  x", None), ("  y\n\n\nz ", None), (" A \n b ", 2), ("", 1)])
def test_blocks_are_put_together_exactly(parts: list[tuple[str, int | None]]) -> None:
    """The text is tidy, and every heading's span covers the heading's words."""
    text, headings = join_blocks([Block(words, level) for words, level in parts])
    assert tidy(text) == text
    expected = [(one_line(words), level) for words, level in parts if level and one_line(words)]
    assert [(heading.span.of(text), heading.level) for heading in headings] == expected
    for heading in headings:
        assert text[: heading.span.start].endswith("\n\n") or heading.span.start == 0
        assert text[heading.span.end :].startswith("\n\n") or heading.span.end == len(text)


def test_a_page_in_a_heading_is_no_heading() -> None:
    """Markup that was never closed doesn't make headings of paragraphs."""
    text, headings = join_blocks([Block("word " * 100, 1), Block("Real", 2)])
    assert [heading.span.of(text) for heading in headings] == ["Real"]


@pytest.mark.parametrize(
    ("blocks", "title"),
    [
        ([Block("Words.")], None),
        ([Block("Third", 3), Block("Second", 2)], "Third"),
        ([Block("Second", 2), Block("First", 1), Block("Another", 1)], "First"),
    ],
)
def test_the_heading_that_is_a_title(blocks: list[Block], title: str | None) -> None:
    """The first of level 1, or else the first."""
    assert first_title(*join_blocks(blocks)) == title
