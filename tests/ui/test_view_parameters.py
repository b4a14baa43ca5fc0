"""What is looked at, as an address and back."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.pages.reader import MOST_OTHERS, WHOLE, View

ranges = st.tuples(st.integers(0, 10**9), st.integers(1, 10**6)).map(lambda r: (r[0], r[0] + r[1]))
views = st.builds(
    View,
    passage=st.none() | ranges,
    answer=st.none() | ranges,
    others=st.lists(ranges, max_size=MOST_OTHERS).map(tuple),
    question=st.text(st.characters(codec="utf-8")),
    find=st.text(st.characters(codec="utf-8")),
    pane=st.booleans(),
    page=st.none() | st.integers(0, 10**8),
)


@given(views)
def test_there_and_back(view: View) -> None:
    """An address says all of it, and only the document's id stands in its path."""
    address = urlsplit(view.address("a/b"))
    assert address.path == "documents/a%2Fb"
    assert View.of(dict(parse_qsl(address.query))) == view


@pytest.mark.parametrize(
    "wrong", ["", "5", "5-", "-5", "9-3", "3-3", "1-2-3", "a-b", "²-3", "1e2-9"]
)
def test_what_is_no_range(wrong: str) -> None:
    """It is as good as nothing."""
    query = {"passage": wrong, "answer": wrong, "others": f"{wrong},1-2", "page": f"{wrong}x"}
    assert View.of(query) == View(others=((1, 2),))


def test_nothing_needs_no_query() -> None:
    """The whole document has the plain address."""
    assert WHOLE.address("d1") == "documents/d1"
