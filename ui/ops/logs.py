"""The server's log, on standard error. The only module that knows structlog.

On a terminal each record is one readable line, elsewhere one JSON object per line for log
collectors. Modules use Python's ``logging`` as usual, and ``extra`` values become fields.

Neither questions nor document text are logged. An error message might quote either, so for errors
that are not from the library or the operating system only the type and location are logged, unless
logging of questions is switched on.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Literal, TypeAlias

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
"""Keys that ``extra`` may have; libraries pass all sorts of others."""

_log = logging.getLogger(__name__)
_FIRST = ("timestamp", "level", "event")

_ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


def to_standard_error(*, verbose: bool = False, questions: bool = False) -> None:
    """Send everything that this process logs to standard error.

    Parameters
    ----------
    verbose
        Also log debugging detail. Without it a terminal gets warnings and errors only, a file or a
        pipe one line per request as well.
    questions
        Whether to log questions, and the messages of unexpected errors.
    """
    terminal = sys.stderr.isatty()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(terminal=terminal, questions=questions))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    level = logging.DEBUG if verbose else logging.WARNING if terminal else logging.INFO
    for name in ("rag", "ui"):  # other packages are too verbose
        logging.getLogger(name).setLevel(level)


def formatter(*, terminal: bool, questions: bool) -> logging.Formatter:
    """Create the formatter: readable lines for a terminal, or JSON."""

    def with_errors(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        found: _ExcInfo | None = event.pop("exc_info", None)
        if found and found[1] is not None:
            event["exception"] = "\n".join(_traceback(found[1], words=questions))
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
    """Bind the request's id to everything that the current task logs from now on."""
    structlog.contextvars.bind_contextvars(request_id=request_id)


Way: TypeAlias = Literal["page", "search", "ask", "find", "mcp search", "mcp find"]


@contextmanager
def search(way: Way, question: str) -> Iterator[None]:
    """Log a search with its duration; the question itself only on request."""
    began = time.perf_counter()
    yield
    seconds = round(time.perf_counter() - began, 4)
    _log.info("search", extra={"way": way, "seconds": seconds, "question": question})


def _traceback(error: BaseException, *, words: bool) -> Iterator[str]:
    """Format an error and its causes, the first cause first, as Python does."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _traceback(cause, words=words)
    for part in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _traceback(part, words=words)
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    kind = type(error).__qualname__
    yield f"{kind}: {error}" if words or _is_ours(error) else f"{kind} (its words: --log-questions)"


def _is_ours(error: BaseException) -> bool:
    """Whether an error is the library's or the operating system's, so that its message quotes
    nobody.
    """
    return isinstance(error, OSError | RagError) and not isinstance(error, InputError)
