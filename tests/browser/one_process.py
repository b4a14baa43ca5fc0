"""One process for all servers of a session, so that Gradio and the model are loaded once.

As a program it reads what to do from standard input, a JSON object a line, and answers each with a
line::

    → {"index": [path, …], "library": folder}         ← indexed
    → {"serve": folder, "people": file or null}       ← its address
    → {"end": address}                                ← ended

When standard input ends, so does it, with success if all went well.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

SECONDS = 300.0
"""How long the process may take to end."""


class OneProcess:
    """The process, started when it is first needed, as tests ask it."""

    def __init__(self, folder: Path) -> None:
        self.may_say: set[str] = set()
        """Words in a line of its log: what tests make it complain of."""
        self._complaints = folder / "complaints"
        self._process: subprocess.Popen[str] | None = None

    def index(self, library: Path, articles: Sequence[Path]) -> None:
        """Make a library of articles, all of which must be read."""
        assert self._asked({"index": [*map(str, articles)], "library": str(library)}) == "indexed"

    @contextmanager
    def serving(self, library: Path, people: Path | None = None) -> Iterator[str]:
        """The address of a server over a library; who has a name in ``people`` may come in.

        It ends in order, without having complained of anything else than it may.
        """
        address = self._asked({"serve": str(library), "people": people and str(people)})
        yield address
        assert self._asked({"end": address}) == "ended"
        assert self._unexpected() == []

    def end(self) -> None:
        """The process has nothing more to say, and ends with success."""
        if self._process is not None:
            output, _ = self._process.communicate(timeout=SECONDS)
            assert (self._process.returncode, output) == (0, "")
            assert self._unexpected() == []

    def _unexpected(self) -> list[str]:
        lines = self._complaints.read_text().splitlines()
        return [line for line in lines if not any(words in line for words in self.may_say)]

    def _asked(self, what: dict[str, Any]) -> str:
        if self._process is None:
            # A file, not a pipe: nobody reads on, and a full pipe would stop the process.
            with self._complaints.open("w") as complaints:
                self._process = subprocess.Popen(
                    [sys.executable, __file__],
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    text=True,
                )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # it ended instead: there is no answer, but a reason
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        assert answer, self._complaints.read_text()
        return answer


def main() -> None:
    """Do what is asked for, one after the other."""
    from threaded import serving

    from rag import Library
    from rag.models.embedder import SentenceTransformerEmbedder
    from rag.runtime.threads import limit_blas_to_one_thread, shorten_switch_interval
    from ui.security import accounts, policy

    limit_blas_to_one_thread()  # as the command does
    shorten_switch_interval()
    embedder = SentenceTransformerEmbedder()
    served: dict[str, ExitStack] = {}

    def index(folder: str, articles: list[str]) -> str:
        with Library.open(folder, embedder=embedder) as library:
            return "in part" if library.index(articles).failed else "indexed"

    def serve(folder: str, people: str | None) -> str:
        known = accounts.load(Path(people)) if people else None
        allowed = policy.decide("127.0.0.1", accounts=known)
        with ExitStack() as stack:
            library = stack.enter_context(Library.open(folder, embedder=embedder))
            address = stack.enter_context(serving(library, allowed))
            served[address] = stack.pop_all()
        return address

    for line in sys.stdin:
        match json.loads(line):
            case {"index": articles, "library": folder}:
                answer = index(folder, articles)
            case {"serve": folder, "people": people}:
                answer = serve(folder, people)
            case {"end": address}:
                served.pop(address).close()
                answer = "ended"
        print(answer, flush=True)


if __name__ == "__main__":
    main()
