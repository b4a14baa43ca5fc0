"""A report as a table for the terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from rag.evaluation.results import Report
from rag.evaluation.statistics import Difference

LEAST_P = 0.001
"""Smaller p-values are printed as “below” this."""


def heading(report: Report) -> str:
    """What was measured, in one line."""
    left_out = f", {report.unlabelled:,} without a label left out" if report.unlabelled else ""
    times = ", ".join(f"{one.mode} {one.seconds * 1000:.0f} ms" for one in report.results)
    return (
        f"{report.set}: {report.questions:,} questions{left_out}, {report.documents:,} documents, "
        f"{report.passages:,} passages, {report.model}; median search: {times}"
    )


def table(report: Report) -> Table:
    """One row per metric: its interval or, with two modes, the difference."""
    shown = Table(box=None, pad_edge=False, collapse_padding=True)
    shown.add_column("measure", no_wrap=True)
    for one in report.results:
        shown.add_column(Text(one.mode), justify="right", overflow="fold")
    if report.differences:
        shown.add_column("gain", justify="right")
    shown.add_column("95 %", justify="right", no_wrap=True)
    if report.differences:
        shown.add_column("p", justify="right")
    shown.add_column("n", justify="right")
    for name, estimate in report.results[0].estimates.items():
        cells = [name, *(f"{one.estimates[name].mean:.4f}" for one in report.results)]
        if report.differences:
            cells += _difference(report.differences[name])
        else:
            cells.append(f"{estimate.low:.3f} … {estimate.high:.3f}")
        shown.add_row(*cells, f"{estimate.questions:,}")
    return shown


def _difference(found: Difference) -> list[str]:
    p = f"<{LEAST_P}" if found.p < LEAST_P else f"{found.p:.3f}"
    return [f"{found.mean:+.4f}", f"{found.low:+.3f} … {found.high:+.3f}", p]
