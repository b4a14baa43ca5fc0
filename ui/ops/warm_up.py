"""Loading the model behind the server, so that it is there before a person asks."""

from __future__ import annotations

import logging
import threading
from typing import Literal, TypeAlias

from rag import Library
from ui import strings
from ui.ops import public_errors

Warmth: TypeAlias = Literal["loading", "ready", "failed"]

_log = logging.getLogger(__name__)


class Warming:
    """A thread that asks the library something, and what came of it."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._changing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._state: Warmth = "loading"
        self._trouble = ""

    @property
    def state(self) -> Warmth:
        """Whether the library can answer at once; ``loading`` also before :meth:`start`."""
        return self._state

    @property
    def trouble(self) -> str:
        """Why it failed, in words without a path; empty otherwise."""
        return self._trouble

    def start(self) -> None:
        """Begin, or begin again after a failure; does nothing while it goes on or is done."""
        with self._changing:
            if self._thread is None or self._state == "failed":
                self._state, self._trouble = "loading", ""
                self._thread = threading.Thread(target=self._run, name="warming")
                self._thread.start()

    def join(self) -> None:
        """Wait until it is over: whoever called may close the library next."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._library.ask(strings.TITLE, k=1)  # calibrates it, if that was never done
        except Exception as error:  # noqa: BLE001 (the terminal gets the traceback, others a line)
            _log.exception("The model could not be loaded.")
            self._trouble, self._state = public_errors.told(error), "failed"
        else:
            self._state = "ready"
