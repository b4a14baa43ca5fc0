"""Diagrams: where each mark stands, worked out by hand; what is said of them; hostile names."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

import pytest
from normalized_html import normalized

from rag import Bin, Dates
from ui.pages import insight
from ui.pages.insight import Figure, ScoreBin, Shape
from ui.templates import render

EVIL = '"><script>alert(1)</script>'


def drawn(shapes: Sequence[Shape], label: str = "a label") -> str:
    """A diagram's SVG."""
    return normalized(render("plot", figure=Figure(shapes, label, (), ())))


def attributes(svg: str, tag: str, kind: str) -> list[dict[str, float]]:
    """The numbers of each element of a class, percent signs left out."""
    return [
        {name: float(value) for name, value in re.findall(r'(\w+)="(-?[\d.]+)%?"', rest)}
        for rest in re.findall(rf'<{tag} class="{kind}"([^>]*)>', svg)
    ]


def test_reliability_by_hand() -> None:
    """Half sure and a quarter right: across 9 + 88 / 2 percent, up a quarter of 194 pixels."""
    one = Bin(confidence=0.5, share=0.25, low=0.0, high=1.0, known=3, foreign=9)
    svg = drawn(insight.reliability([one]))
    assert attributes(svg, "circle", "dot") == [{"cx": 53.0, "cy": 216 - 194 / 4, "r": 5.0}]
    assert attributes(svg, "line", "interval") == [{"x1": 53.0, "y1": 216, "x2": 53.0, "y2": 22}]
    assert attributes(svg, "line", "same") == [{"x1": 9, "y1": 216, "x2": 97, "y2": 22}]
    assert "<title>Where it says 50 %, 25 % are answered.</title>" in svg
    assert svg.startswith('<svg class="plot" role="img" aria-label="a label"')


def test_ranges_end_at_tenths() -> None:
    """Scores from 0.23 to 0.61 lie between 0.2 and 0.7, in twenty ranges of 0.025; one that is on
    an end counts to the range above, the last one to the last.
    """
    found = insight.score_bins([0.5, 0.61], [0.23, 0.5, 0.5], threshold=0.4)
    assert len(found) == 20
    assert (found[0].low, found[-1].high) == pytest.approx((0.2, 0.7))
    filled = {round(one.low, 3): (one.own, one.other) for one in found if one.own or one.other}
    assert filled == {0.225: (0, 1), 0.5: (1, 2), 0.6: (1, 0)}
    assert len(insight.score_bins([0.4], [0.4], 0.4)) == 20


def test_histogram_by_hand() -> None:
    """Two ranges, and four at most: a unit is a quarter of half of 194 pixels. Own questions stand
    on the middle, 119 pixels from above; others hang from it.
    """
    found = [ScoreBin(0.2, 0.3, own=1, other=4), ScoreBin(0.3, 0.4, own=2, other=0)]
    svg = drawn(insight.histogram(found, threshold=0.25))
    unit = 97 / 4
    assert attributes(svg, "rect", "own") == [
        {"x": 9.15, "y": pytest.approx(119 - unit, abs=0.05), "width": 43.7, "height": 24.2},
        {"x": 53.15, "y": 119 - 2 * unit, "width": 43.7, "height": 48.5},
    ]
    assert attributes(svg, "rect", "other") == [
        {"x": 9.15, "y": 119, "width": 43.7, "height": 97.0}
    ]
    (line,) = attributes(svg, "line", "threshold")
    assert (line["x1"], line["x2"]) == (31.0, 31.0)
    assert re.findall(r'<text class="name" x="([\d.]+)%"[^>]*>([\d.]+)<', svg) == [
        ("9.00", "0.2"),
        ("53.00", "0.3"),
        ("97.00", "0.4"),
    ]


def test_bars_by_hand() -> None:
    """Two of 4 and 1: widths are 76 % of half of 88 percent, the first is as high as it gets."""
    svg = drawn(insight.bars([("a", 4), ("b", 1)], "document"))
    assert attributes(svg, "rect", "own") == [
        {"x": 14.28, "width": 33.44, "y": 22.0, "height": 194.0},
        {"x": 58.28, "width": 33.44, "y": 167.5, "height": 48.5},
    ]
    assert re.findall(r"<title>(.*?)</title>", svg) == ["a: 4 documents", "b: 1 document"]
    assert re.findall(r'class="name"[^>]*>(\w+)<', svg) == ["4", "a", "1", "b"]


def test_many_bars_have_some_names() -> None:
    """Of thirty every fourth is named, and none has its number above it."""
    svg = drawn(insight.bars([(f"n{at}", at + 1) for at in range(30)], ""))
    assert re.findall(r'class="name"[^>]*>(\w+)<', svg) == [f"n{at}" for at in range(0, 30, 4)]


@pytest.mark.parametrize(
    ("most", "found"),
    [
        (1, [0, 1]),
        (5, [0, 1, 2, 3, 4, 5]),
        (6, [0, 2, 4, 6]),
        (23, [0, 5, 10, 15, 20]),
        (199, [0, 50, 100, 150]),
        (1216, [0, 500, 1000]),
    ],
)
def test_steps_are_round(most: int, found: list[int]) -> None:
    """One, two or five, ten, twenty or fifty, and so on: six of them at most."""
    assert insight.ticks(most) == found


def test_hostile_names_stay_names() -> None:
    """Whatever is called so: in names, in what resting on it tells, and in the label."""
    svg = drawn(insight.bars([(EVIL, 1)], "document"), EVIL)
    assert "<script" not in svg
    assert svg.count("&quot;&gt;&lt;script&gt;") == 3


def dated(*days: str) -> Dates:
    """One document of each month."""
    return Dates({dt.date.fromisoformat(day): 1 for day in days}, 0, 0)


def test_two_years_are_drawn_by_month() -> None:
    """24 months at most, those without a document, too."""
    unit, found = insight.timeline(dated("2023-12-01", "2024-02-01"))
    assert unit == "month"
    assert found == [
        ("Dec 2023", 1),
        ("Jan 2024", 0),
        ("Feb 2024", 1),
    ]
    assert len(insight.timeline(dated("2023-01-01", "2024-12-01"))[1]) == 24


def test_longer_times_are_drawn_by_year_and_by_decade() -> None:
    """From the 25th month on by year, from the 61st year on by decade."""
    unit, found = insight.timeline(dated("2022-12-01", "2023-01-01", "2024-12-01"))
    assert (unit, found) == (
        "year",
        [("2022", 1), ("2023", 1), ("2024", 1)],
    )
    assert len(insight.timeline(dated("1941-01-01", "2000-01-01"))[1]) == 60
    unit, found = insight.timeline(dated("1919-05-01", "1920-01-01", "1980-01-01"))
    assert unit == "decade"
    assert found[:2] == [("1910s", 1), ("1920s", 1)]
    assert len(found) == 8
    assert insight.timeline(dated()) == ("month", [])
