"""Output of the commands: results, reports and progress, for people and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import methodcaller

from rich import markup
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from rag.types import Failure
from rag.types.reports import FileReport, IndexReport, Status

FAILURES_SHOWN = 10

STEPS_BETWEEN_LINES = 500
"""Steps of progress between two lines if standard error is not a terminal."""

_OBEYED = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - two digits
    for code in (
        *(*range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F),
        *(*range(0x2028, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000)),
    )
}
"""Escapes for what a terminal would interpret or can't show: control characters, line breaks,
bidirectional controls, and bytes that are not UTF-8.
"""

_SPELLED_OUT = {
    code: escaped for code, escaped in _OBEYED.items() if chr(code) not in "\t\n\u061c\u200e\u200f"
}
"""The same for texts, in which lines end, and right-to-left languages use marks."""

_OF_DOCUMENTS = frozenset({"added", "updated", "unchanged", "removed"})


class _PlainConsole(Console):
    """A console on which texts from documents are only text: whatever is printed, what a terminal
    would interpret is escaped, except rich's own codes.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            text = segment.text.translate(_SPELLED_OUT)
            if segment.control or text == segment.text:
                yield segment
            else:
                yield Segment(text, segment.style)


out = _PlainConsole(highlight=False)
err = _PlainConsole(stderr=True, highlight=False)


def visible(text: str) -> str:
    """Escape control characters in untrusted text, such as a file name."""
    return text.translate(_OBEYED)


def escape(text: str) -> str:
    """The same, and escape rich markup too."""
    return markup.escape(visible(text))


def print_report(
    report: IndexReport, renamed: Sequence[tuple[str, str]] = (), in_doubt: int = 0
) -> None:
    """Print a run's report as a table, with collections that got another name, the files that could
    not be read with their reasons, the number of files that were read with warnings, and the kinds
    of files that were skipped.
    """
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for name, found in _outcomes(report).items():
        noun = "document" if name in _OF_DOCUMENTS else "file"
        table.add_row(name, *count(len(found), noun).split())
    table.add_row("embedded", *count(report.embedded, "passage").split())
    if report.reused:
        table.add_row("reused", *count(report.reused, "passage").split())
    table.add_row("took", f"{report.seconds:,.1f}", "seconds")
    out.print(table)
    for before, now in renamed:
        out.print(f"collection  “{escape(now)}”, until now “{escape(before)}”", soft_wrap=True)
    _print_failures("failed", report.failed)
    if in_doubt:
        err.print(f"warnings on {count(in_doubt, 'file')}: rag report lists them")
    for reason, files in report.skipped_kinds.items():
        first = next(one.source for one in report.skipped if one.reason == reason)
        others = f" and {count(files - 1, 'other')}" if files > 1 else ""
        err.print(f"skipped {escape(first)}{others}: {escape(reason)}", soft_wrap=True)
    if report.model_note:
        err.print(escape(report.model_note), soft_wrap=True)


def print_change(report: IndexReport) -> None:
    """Print a run's report on one line, for following folders."""
    words = [f"{len(found):,} {name}" for name, found in _outcomes(report).items()]
    out.print(f"{', '.join(words)} · {count(report.embedded, 'passage')} embedded")
    _print_failures("failed", report.failed)


def _outcomes(report: IndexReport) -> dict[str, Sequence[object]]:
    """The non-empty outcomes, by label."""
    outcomes: dict[str, Sequence[object]] = {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "failed": report.failed,
        "skipped": report.skipped,
    }
    return {name: found for name, found in outcomes.items() if found}


def _print_failures(what: str, failures: Sequence[Failure]) -> None:
    for failure in failures[:FAILURES_SHOWN]:
        err.print(f"{what} {escape(failure.source)}: {escape(failure.reason)}", soft_wrap=True)
    if len(failures) > FAILURES_SHOWN:
        err.print(f"… and {len(failures) - FAILURES_SHOWN:,} more {what}")


def print_status(status: Status, backend: str) -> None:
    """Print what a library holds, and what encodes its passages."""
    out.print(f"[bold]{escape(str(status.path))}[/]", soft_wrap=True)
    rows = {
        "documents": f"{status.documents:,}",
        "passages": f"{status.passages:,}",
        "sentences": f"{status.sentences:,}",
        "model": f"{status.model}, {status.dimension} dimensions",
        "reads": f"sentences {'in their passage' if status.late else 'one by one'}",
        "vectors": "all are compared"
        if status.recall is None
        else f"compressed; {status.recall:.1%} of the nearest are found",
        "indexes by": backend,
        "generation": f"{status.generation:,}",
        "size": f"{status.bytes / 1e6:,.1f} MB",
    }
    if status.ratings:
        rows["ratings"] = f"{status.ratings:,}"
    for name, value in rows.items():
        out.print(f"{name:<11} {escape(value)}", soft_wrap=True)
    for one in status.collections:
        held = f"{one.name}: {count(one.documents, 'document')} in {', '.join(one.folders)}"
        out.print(f"collection  {escape(held)}", soft_wrap=True)
    print_untrained(status)


def print_untrained(status: Status) -> None:
    """Warn of languages in the library that its model was not trained on, if any."""
    if status.language_note:
        out.print(f"[yellow]{escape(status.language_note)}[/]", soft_wrap=True)


def print_files(reports: Sequence[FileReport]) -> None:
    """Print what failed or was skipped, and warnings, then the outcome of each file."""
    table = Table(box=None, pad_edge=False)
    for name in ("file", "status", "pages", "characters", "passages", "language", "seconds"):
        right = name in {"pages", "characters", "passages", "seconds"}
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for one in reports:
        pages = f"{one.pages_with_text}/{one.pages}" if one.pages else ""
        table.add_row(
            Text(visible(one.source)),
            one.status,
            pages,
            f"{one.characters:,}",
            f"{one.passages:,}",
            Text(visible(", ".join(one.languages))),
            f"{one.seconds:.1f}",
        )
    for one in sorted(reports, key=lambda one: one.status == "skipped"):
        outcome = "skipped" if one.status == "skipped" else "failed"
        for failure in one.failures:
            line = f"{outcome} {escape(failure.source)}: {escape(failure.reason)}"
            out.print(line, soft_wrap=True)
    for one in reports:
        for line in one.warnings:
            out.print(f"warning {escape(one.source)}: {escape(line)}", soft_wrap=True)
    out.print(table)


def print_json(value: object) -> None:
    """Print one JSON value, in which dates are written as in ISO 8601."""
    # Not through rich, which would wrap and colour it.
    written = json.dumps(value, ensure_ascii=False, indent=2, default=methodcaller("isoformat"))
    sys.stdout.write(f"{written}\n")


def count(number: int, noun: str) -> str:
    """Format a count: ``1 file``, ``2,000 files``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


@contextmanager
def show_progress(things: str) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a callback that takes, after each step, the task, the number of steps done and the
    total.

    ``things`` is the unit, such as ``questions``.
    """
    if not sys.stderr.isatty():

        def print_line(task: str, done: int, total: int) -> None:
            if done % STEPS_BETWEEN_LINES == 0 or done == total:
                err.print(f"{escape(task)}: {done:,} of {total:,} {things}", soft_wrap=True)

        yield print_line
        return
    from rich import progress

    with progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
        console=err,
        transient=True,
    ) as shown:
        tasks: dict[str, progress.TaskID] = {}

        def on_progress(task: str, done: int, total: int) -> None:
            if task not in tasks:
                tasks[task] = shown.add_task(task, total=total)
            shown.update(tasks[task], completed=done)

        yield on_progress
