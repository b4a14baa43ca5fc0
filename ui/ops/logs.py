"""What a server writes to standard error while it runs. The only module that knows structlog.

On a terminal one line a person can read, elsewhere one JSON object a line, for whatever collects
them. Logging itself is Python's own: modules log as they always do, and what they give as ``extra``
becomes a field.

Nothing that people ask or that stands in documents is written. An error's own words might quote
either, so of errors that are neither the library's nor the system's only the kind and the place
are written, unless questions are to be logged, too.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import TypeAlias

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from rag import InputError, RagError

FIELDS = frozenset(
    {
        *("address", "method", "route", "status", "seconds", "open_requests"),
        *("job", "state", "added", "updated", "removed", "failed", "passages"),
        *("way", "question", "hits"),
    }
)
"""What may be given as ``extra``; libraries give all sorts of things."""

_FIRST = ("timestamp", "level", "event")

_ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


def to_standard_error(*, verbose: bool = False, questions: bool = False) -> None:
    """Have everything that is logged in this process written to standard error.

    Parameters
    ----------
    verbose
        Also what is of use only when something is looked for. Without it a terminal gets what
        goes wrong, and a file or a pipe one line for each request besides.
    questions
        Whether questions, and the words of unexpected errors, may be written.
    """
    terminal = sys.stderr.isatty()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(terminal=terminal, questions=questions))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    level = logging.DEBUG if verbose else logging.WARNING if terminal else logging.INFO
    for name in ("rag", "ui"):  # the other packages say far more than anyone asked for
        logging.getLogger(name).setLevel(level)


def formatter(*, terminal: bool, questions: bool) -> logging.Formatter:
    """What makes a line of a record: for a person at a terminal, or JSON."""

    def with_errors(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        found: _ExcInfo | None = event.pop("exc_info", None)
        if found and found[1] is not None:
            event["exception"] = "\n".join(_told(found[1], words=questions))
        if not questions:
            event.pop("question", None)
        return {name: event[name] for name in _FIRST if name in event} | dict(event)

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=FIELDS),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Processor = (
        structlog.dev.ConsoleRenderer(pad_event_to=0)
        if terminal
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, with_errors, last],
    )


def of_request(request_id: str) -> None:
    """Have whatever the running task logs from now on carry the request's id."""
    structlog.contextvars.bind_contextvars(request_id=request_id)


def _told(error: BaseException, *, words: bool) -> Iterator[str]:
    """An error and what led to it, the first cause first, as Python shows them."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _told(cause, words=words)
    for part in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _told(part, words=words)
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    kind = type(error).__qualname__
    yield f"{kind}: {error}" if words or _is_ours(error) else f"{kind} (its words: --log-questions)"


def _is_ours(error: BaseException) -> bool:
    """Whether the words of an error are the library's or the system's, and quote nobody."""
    return isinstance(error, OSError | RagError) and not isinstance(error, InputError)
