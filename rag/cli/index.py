"""``rag index``: index and follow files and folders, with progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from getpass import getpass
from pathlib import Path
from typing import Annotated

import typer

from rag.cli import output
from rag.cli.options import LibraryOption
from rag.cli.output import count, err, escape
from rag.cli.signals import EXIT_INTERRUPTED, reported
from rag.cluster.ray import Fleet
from rag.errors import InputError, LibraryError, LibraryNotFound
from rag.library.default import default_library
from rag.library.library import Library
from rag.library.opener import exists, open_to_reencode
from rag.models import multilingual
from rag.models.named_models import MULTILINGUAL, packaged
from rag.runtime.files import absolute, is_url, local_path, open_file
from rag.runtime.heartbeat import Heartbeat
from rag.types.reports import IndexReport, Progress

EXIT_SOME_FAILED = 3
QUERIES_AFTER_INDEXING = 30
"""Number of self-test queries: enough to notice a major failure, within a second or two."""

SECONDS_BETWEEN_TRIES = 1.0
"""Polling interval for a library that disappeared while its folders are followed, in seconds."""


def index_command(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH...", help="Files and folders.")
    ] = None,
    library: LibraryOption = None,
    collection: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="NAME",
            help="The collection they belong to. [dim]default: one named after each folder[/]",
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Skip what matches this pattern, as in .gitignore; may be repeated.",
        ),
    ] = None,
    *,
    ocr: Annotated[
        bool | None,
        typer.Option(
            "--ocr/--no-ocr",
            help="Read pictures and scanned pages too, including those of earlier runs."
            " [dim]default: if tesseract or rag\\[ocr] is installed[/]",
        ),
    ] = None,
    ocr_language: Annotated[
        str | None,
        typer.Option(
            metavar="CODES",
            help="The languages of scanned pages, like deu+eng, or rapidocr; turns --ocr on."
            " [dim]default: those of tesseract[/]",
        ),
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Retry files that failed, even if they haven't changed.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Read every file again, even if it hasn't changed.")
    ] = False,
    passwords: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Passwords to try on protected PDFs, one per line; in a terminal you are asked for"
            " missing ones.",
        ),
    ] = None,
    max_document: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Memory limit for reading one file, like 1GB; files that failed under a lower"
            " limit are read again. [dim]default: 256MB[/]",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The sentence-transformers model: a folder, or the name of a model in this"
            " machine's cache. A library of another one is re-encoded with it. [dim]default: for a"
            " new library, all-MiniLM-L6-v2 for English documents, else multilingual[/]",
        ),
    ] = None,
    dimensions: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Truncate vectors to N dimensions, for a Matryoshka model."
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep watching the folders until Ctrl-C.")
    ] = False,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Read and embed on a Ray cluster, for a shared library: auto, host:port, or local"
            " for this machine; paths may be URLs, like s3://bucket/articles.",
        ),
    ] = None,
    actors: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="With --ray: copies of the model. [dim]default: one per machine or GPU[/]",
        ),
    ] = None,
    gpus: Annotated[
        float, typer.Option(min=0, metavar="N", help="With --ray: GPUs of each copy of the model.")
    ] = 0,
) -> None:
    """Index documents into the library; run it again to pick up changes.

    Unchanged files are skipped, and files that vanished from a folder are removed. Interrupt at any
    time: finished work is kept.

    With --model, a library of another model is re-encoded first, without reading its files; it
    needs no PATH then. The former model answers until that is done.

    Example: rag index ~/articles --exclude "drafts/"
    """
    place = library or default_library()
    names_model = model is not None or dimensions is not None
    renews = names_model and not is_url(place) and exists(place)
    if not paths and names_model and not renews:
        raise InputError(f"there is no library in {place} to re-encode; name it: --library DIR")
    if not paths and (watch or not renews):
        raise InputError("name files or folders to index: rag index PATH")
    known = _read_passwords(passwords) if passwords else []
    fleet = _fleet(ray, actors, gpus, watch=watch)
    changed = renews and _reencode(Path(place), model, dimensions)
    with _opened(place, None if renews else model, None if renews else dimensions) as opened:
        before, named = opened.status().generation, _collection_names(opened)
        index = partial(
            opened.index,
            exclude=exclude or [],
            ocr=ocr_language or ocr,
            max_document=max_document,
        )

        def run(tried: Sequence[str], *, first: bool = False) -> IndexReport:
            with _progress(opened) as on_progress:
                return index(
                    paths or (),
                    collection=collection,
                    retry=retry and first,
                    again=again and first,
                    passwords=tried,
                    progress=on_progress,
                    ray=fleet,
                )

        failed = False
        if paths:
            report = run(known, first=True)
            read = {*report.added, *report.updated}
            in_doubt = len({one.source for one in opened.unread()[1] if one.source in read})
            output.print_report(report, _renamed(named, _collection_names(opened)), in_doubt)
            if sys.stdin.isatty() and sys.stderr.isatty():
                report = _prompt_and_retry(report, run, known)
            failed = bool(report.failed)
        status = opened.status()
        output.print_untrained(status)
        if changed or status.generation != before:
            _check(opened)
        if watch:
            _follow(opened, [Path(one) for one in paths or ()], partial(index, passwords=known))
    if failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def _reencode(folder: Path, model: str | None, dimensions: int | None) -> bool:
    """Give an existing library the model that was named; returns whether it had another one."""
    with Library(*open_to_reencode(absolute(folder))) as library:
        with _progress(library) as on_progress:
            changed = library.reencode(model, dimensions=dimensions, progress=on_progress)
        if changed:
            status = library.status()
            passages = count(status.passages, "passage")
            err.print(escape(f"Re-encoded with {status.model}: {passages}."))
    return changed


def _opened(place: str | Path, model: str | None, dimensions: int | None) -> Library:
    """Open the library, with progress while the model is loaded that was named."""
    with _shown() as on_progress:
        beat = Heartbeat(on_progress)
        beat.enter("loading")
        if model and packaged(model) is MULTILINGUAL:
            multilingual.folder(beat)
        return Library.open(place, model=model, dimensions=dimensions)


def _fleet(ray: str | None, actors: int | None, gpus: float, *, watch: bool) -> Fleet | None:
    """The Ray cluster given by the options, or None."""
    if ray is None:
        if actors or gpus:
            raise InputError("--actors and --gpus say what --ray is to use: name that, too")
        return None
    if watch:
        raise InputError("--watch follows folders of this machine, without --ray")
    return Fleet(ray, actors, gpus)


def _collection_names(library: Library) -> dict[str, str]:
    """The name of each folder's collection."""
    return {folder: one.name for one in library.collections() for folder in one.folders}


def _renamed(before: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str]]:
    """The names that folders' collections had and have, where they differ."""
    both = [(name, now.get(folder, name)) for folder, name in before.items()]
    return [*dict.fromkeys((name, new) for name, new in both if name != new)]


def _read_passwords(path: Path) -> list[str]:
    """Read a password file, one per line; empty lines are skipped."""
    try:
        with open_file(path) as file:
            lines = file.read().decode("utf-8").splitlines()
    except OSError as error:
        reason = error.strerror or "it can't be read"
        raise InputError(f"--passwords {path}: {reason}; name a text file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"--passwords {path}: it is not in UTF-8; save it as such") from error
    return [line for line in lines if line]


def _prompt_and_retry(
    report: IndexReport, index: Callable[[Sequence[str]], IndexReport], given: list[str]
) -> IndexReport:
    """Prompt for the password of each PDF that needs one, and index again with it.

    Each password that opens a file is tried on the others before the next prompt. Those that
    opened something are added to the ``given`` ones. Returns the report of the last run.
    """
    if locked := _locked(report):
        err.print(f"{count(len(locked), 'PDF')} with a password; press Enter to leave one out.")
    left_out: set[str] = set()
    while locked := [name for name in _locked(report) if name not in left_out]:
        err.print(f"Password of {escape(locked[0])}", soft_wrap=True)
        try:
            password = getpass("(not shown): ", stream=sys.stderr)
        except EOFError:  # Ctrl-D: skip the rest
            err.print()
            break
        if not password:
            left_out.add(locked[0])
            continue
        report = index([*given, password])
        opened = len(locked) - len(set(_locked(report)).intersection(locked))
        if opened:
            given.append(password)
            passages = count(report.embedded, "passage")
            err.print(f"It opens {count(opened, 'PDF')}: {passages} embedded.")
        else:
            err.print("It does not open it; try again, or press Enter to leave it out.")
    return report


def _locked(report: IndexReport) -> list[str]:
    return [one.source for one in report.failed if one.kind == "password"]


def _check(library: Library) -> None:
    """Run the self-test, and warn of documents that were found before this run and are not found
    now.
    """
    for one in library.check(QUERIES_AFTER_INDEXING).lost:
        line = f"warning: “{one.query}” no longer finds {one.source}; more: rag check"
        err.print(escape(line), soft_wrap=True)


def _shown() -> AbstractContextManager[Callable[[Progress], None]]:
    """Show progress until the block is left."""
    from rag.runtime.progress import bars, lines

    return bars() if sys.stderr.isatty() else nullcontext(lines(err.print))


@contextmanager
def _progress(library: Library) -> Iterator[Callable[[Progress], None]]:
    """Show progress until the run is done, or stopped by Ctrl-C."""
    try:
        with _shown() as on_progress:
            yield on_progress
    except KeyboardInterrupt:
        said = "Stopped; "
        with suppress(LibraryError):  # it may have a model that isn't here
            said = f"Stopped. {count(library.status().documents, 'document')} in the library; "
        reported.set()
        err.print(f"{said}run it again to go on.")
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _follow(
    library: Library, paths: Sequence[Path], index: Callable[[Sequence[Path]], IndexReport]
) -> None:
    """Index what changes in the paths, until Ctrl-C."""
    from rag.documents.discovery import changes

    err.print("Following; Ctrl-C stops.")
    try:
        for _ in changes(paths, leave_out=local_path(library.engine.location)):
            found = _index_when_back(paths, index)
            if found.added or found.updated or found.removed or found.failed:
                output.print_change(found)
    except KeyboardInterrupt:
        reported.set()
        err.print("Stopped.")


def _index_when_back(
    paths: Sequence[Path], index: Callable[[Sequence[Path]], IndexReport]
) -> IndexReport:
    """Index the paths that exist; if the library itself is gone, wait for it to come back."""
    warned = False
    while True:
        try:
            return index([path for path in paths if path.exists()])
        except LibraryNotFound as error:
            if not warned:
                err.print(escape(f"{error}. Waiting for it."), soft_wrap=True)
                warned = True
            time.sleep(SECONDS_BETWEEN_TRIES)
