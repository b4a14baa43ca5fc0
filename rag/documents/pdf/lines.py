"""Lines put together again: what was hyphenated at the end of a line becomes one word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_HEAD = re.compile(r"((?:[^\W_]+-)*)([^\W_]+)[-\u00ad\u2010]$")
_TAIL = re.compile(r"[^\W_]+")
_MOST_WORDS = 200_000
"""No more are remembered, so that a file without blanks can't fill the memory."""


@dataclass(frozen=True, slots=True)
class Words:
    """How often the document writes a word, with hyphens and without.

    "pre-" at the end of a line and "training" below may be one word or two: how the document
    writes them in the middle of its lines tells which.
    """

    counts: Counter[str] = field(default_factory=Counter)

    def learn(self, lines: Iterable[str]) -> None:
        """Count the words of these lines, apart from halves at either end."""
        for line in lines:
            for match in _WORD.finditer(line):
                if match.end() < len(line) - 1 and match.start() > 0:
                    self._count(match[0].casefold())

    def _count(self, word: str) -> None:
        if word in self.counts or len(self.counts) < _MOST_WORDS:
            self.counts[word] += 1

    def joined(self, above: str, below: str) -> str:
        """The two lines as one; it always ends with all of ``below``."""
        if self._drops(above, below):
            return above[:-1] + below
        return above + self.link(above, below) + below

    def link(self, above: str, below: str) -> str:
        """What belongs between two lines when they stand on one: a blank, mostly."""
        if not above or not below or _HEAD.search(above[-60:]):
            return ""
        return "" if is_east_asian(above[-1]) and is_east_asian(below[0]) else " "

    def _drops(self, above: str, below: str) -> bool:
        """Whether the hyphen at the end of ``above`` is there only because the line ended."""
        head, tail = _HEAD.search(above[-60:]), _TAIL.match(below)
        if not head or not tail:
            return above.endswith("\u00ad")
        first, last, second = head[1], head[2].casefold(), tail[0].casefold()
        whole, parts = self.counts[last + second], self.counts[f"{last}-{second}"]
        whole += self.counts[f"{first}{last}{second}".casefold()] if first else 0
        if whole or parts:
            return whole >= parts
        if not last.isalpha() or not tail[0].isalpha() or not tail[0].islower():
            return False
        # "state-of-the-" goes on with a word of its own; "self-super-" does not.
        return not (first and self.counts[last])


def is_east_asian(character: str) -> bool:
    """Whether it is of a script that puts no blanks between words."""
    return "\u3000" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef"
