"""Three articles, and what several test modules ask of a library of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rag import (
    Library,
)
from rag.documents.sandbox import processes

TANKS = "date 2024-01-02\n\nThe turret of the tank comes from Ghent. It weighs three tons."


BREAD = "Bake the sourdough bread for forty minutes. Let it rest on a rack."


WHALES = "Blue whales sing at twenty hertz. Their songs carry for a thousand miles."


@contextmanager
def library_without_reading() -> Iterator[None]:
    """Reading any file is an error."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(processes, "COMMAND", ("false",))
        yield


def answers(library: Library, question: str) -> list[str]:
    """The marked sentences, best first."""
    return [hit.answer.text for hit in library.search(question)]


QUESTIONS = {
    "Which company supplies the turret of the Zorawar light tank?": "John Cockerill Defence",
    "Who led the Belgian Economic Mission to India?": "Princess Astrid",
    "What will Belgium appoint at its embassy in New Delhi?": "Defence Attaché",
    "When is the defence cooperation framework expected?": "the end of the year",
    "Which areas beyond defence does the partnership cover?": "clean energy, trade",
}
