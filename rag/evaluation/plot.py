"""Plot a report. The only module that knows matplotlib, which is an optional dependency."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from rag.errors import InputError
from rag.evaluation.results import Report

KINDS = frozenset({".svg", ".png"})


def check_plot(path: Path) -> None:
    """Check that a plot can be drawn, before hours of work.

    Raises
    ------
    InputError
        If matplotlib is missing, or the file name ends in neither .svg nor .png.
    """
    if path.suffix.lower() not in KINDS:
        raise InputError(f"{path}: a plot is an .svg or a .png file; name one")
    if find_spec("matplotlib") is None:
        raise InputError("a plot needs matplotlib; install it: pip install 'rag[plot]'")


def plot(report: Report, path: Path) -> None:
    """Plot every metric with its confidence interval, one colour per mode."""
    from matplotlib.figure import Figure

    names = list(report.results[0].estimates)
    figure = Figure(figsize=(8.0, 1.2 + 0.36 * len(names)), layout="constrained")
    axes = figure.subplots()
    for number, one in enumerate(report.results):
        # Modes are offset vertically, the first on top.
        rows = [row + 0.18 * (number - (len(report.results) - 1) / 2) for row in range(len(names))]
        means = [one.estimates[name].mean for name in names]
        axes.errorbar(
            means,
            rows,
            xerr=[
                [one.estimates[name].mean - one.estimates[name].low for name in names],
                [one.estimates[name].high - one.estimates[name].mean for name in names],
            ],
            fmt="o",
            markersize=5,
            capsize=3,
            label=one.mode,
        )
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(-0.02, 1.02)
    axes.grid(axis="x", alpha=0.3)
    axes.set_title(f"{report.set}, {report.questions:,} questions, with 95 % intervals")
    axes.legend(loc="best")
    figure.savefig(path, dpi=150)
