"""What questions of the greatest length cost in CPU time, whatever they are made of.

``python tests/bench/question_cost.py LIBRARY`` asks each kind of hostile text, 10,000 characters
long, in both ways, and prints the milliseconds as JSON, the most first. Set OPENBLAS_NUM_THREADS=1,
as the command does: threads that wait for work spin, and count.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from rag import MAX_QUESTION_LENGTH, Library, RagError

ROUNDS = 3


def texts(known: list[str], chance: random.Random) -> dict[str, str]:
    """Texts of the greatest length by kind; ``known`` are words of the library."""

    def words(one: Callable[[], str], between: str = " ") -> str:
        return between.join(one() for _ in range(MAX_QUESTION_LENGTH))

    def letters(first: int, last: int, number: int = 1) -> Callable[[], str]:
        return lambda: "".join(chr(chance.randrange(first, last)) for _ in range(number))

    def slip() -> str:
        word = chance.choice(known)
        at = chance.randrange(1, len(word))
        return word[:at] + chance.choice("abcdefghijklmnopqrstuvwxyz") + word[at:]

    def some() -> str:
        return chance.choice(known)

    made = {
        "known words": words(some),
        "misspelt words": words(slip),
        "Chinese": words(letters(0x4E00, 0x9FFF), ""),
        "Arabic": words(letters(0x621, 0x64A, 5)),
        "Russian": words(letters(0x430, 0x44F, 6)),
        "digits": words(letters(48, 58), ""),
        "punctuation": "x " + "?!.,;:" * MAX_QUESTION_LENGTH,
        "brackets": "x " + "([{" * MAX_QUESTION_LENGTH,
        "quotation marks": "x " + '"„“«»' * MAX_QUESTION_LENGTH,
        "phrases": words(lambda: f'"{some()} of the"'),
        "excluded phrases": '-"of the" x ' * MAX_QUESTION_LENGTH,
        "titles": words(lambda: f"title:{some()}"),
        "patterns": "source:*a*b*c* " * MAX_QUESTION_LENGTH,
        "piled marks": words(lambda: "a" + letters(0x300, 0x36F, 9)(), ""),
        "hyphens": "a-" * MAX_QUESTION_LENGTH,
    }
    return {kind: text[:MAX_QUESTION_LENGTH] for kind, text in made.items()}


def milliseconds(call: Callable[[str], object], text: str) -> float:
    """CPU time of one call, the least of some."""
    least = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        with suppress(RagError):
            call(text)
        least = min(least, time.process_time() - began)
    return round(1000 * least, 1)


def main() -> None:
    """Ask the library in the folder that is named."""
    with Library.open(sys.argv[1], create=False) as library:
        documents = library.documents(50)
        known = sorted(
            {
                word
                for one in documents
                for word in re.findall(r"[A-Za-z]{4,}", library.document(one.id).text)
            }
        )
        library.ask("Is it warm?")
        cost = {
            kind: {
                "ask": milliseconds(library.ask, text),
                "find": milliseconds(library.find, text),
            }
            for kind, text in texts(known, random.Random(1)).items()  # noqa: S311 (no secret)
        }
    print(json.dumps(dict(sorted(cost.items(), key=lambda one: -max(one[1].values()))), indent=1))


if __name__ == "__main__":
    main()
