"""Warm-up: load the model in the background, before the first question."""

from __future__ import annotations

import logging
import threading
from typing import Literal, TypeAlias

from rag import Library
from ui import strings
from ui.ops import public_errors

Warmth: TypeAlias = Literal["loading", "ready", "failed"]

_log = logging.getLogger(__name__)


class WarmUp:
    """A thread that runs one query, and its state."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._changing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._state: Warmth = "loading"
        self._trouble = ""

    @property
    def state(self) -> Warmth:
        """Whether the model is loaded; ``loading`` also before :meth:`start`."""
        return self._state

    @property
    def trouble(self) -> str:
        """Why it failed, in words without a path; empty otherwise."""
        return self._trouble

    def start(self) -> None:
        """Start, or start again after a failure; no effect while it is running or done."""
        with self._changing:
            if self._thread is None or self._state == "failed":
                self._state, self._trouble = "loading", ""
                self._thread = threading.Thread(target=self._run, name="warming")
                self._thread.start()

    def join(self) -> None:
        """Wait until it is over, so that the caller can close the library."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._library.ask(strings.TITLE, k=1)  # also calibrates the library if necessary
        except Exception as error:  # noqa: BLE001 (the log gets the traceback, clients a line)
            _log.exception("The model could not be loaded.")
            self._trouble, self._state = public_errors.public_message(error), "failed"
        else:
            self._state = "ready"
