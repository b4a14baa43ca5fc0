"""Join lines, undoing hyphenation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_HEAD = re.compile(r"((?:[^\W_]+-)*)([^\W_]+)[-\u00ad\u2010]$")
_TAIL = re.compile(r"[^\W_]+")
_MOST_WORDS = 200_000
"""Maximum vocabulary size, so that a file without spaces can't exhaust memory."""


@dataclass(frozen=True, slots=True)
class Words:
    """A document's word counts, with and without hyphens.

    "pre-" at the end of a line and "training" below may be one word or a hyphenated compound: how
    the document writes it within lines decides.
    """

    counts: Counter[str] = field(default_factory=Counter)

    def learn(self, lines: Iterable[str]) -> None:
        """Count the words of these lines, except for fragments at either end."""
        for line in lines:
            for match in _WORD.finditer(line):
                if match.end() < len(line) - 1 and match.start() > 0:
                    self._count(match[0].casefold())

    def _count(self, word: str) -> None:
        if word in self.counts or len(self.counts) < _MOST_WORDS:
            self.counts[word] += 1

    def joined(self, above: str, below: str) -> str:
        """Join two lines; the result always ends with all of ``below``."""
        if self._drops(above, below):
            return above[:-1] + below
        return above + self.link(above, below) + below

    def link(self, above: str, below: str) -> str:
        """Separator between two lines when joined: usually a space."""
        if not above or not below or _HEAD.search(above[-60:]):
            return ""
        return "" if is_east_asian(above[-1]) and is_east_asian(below[0]) else " "

    def _drops(self, above: str, below: str) -> bool:
        """Whether the hyphen at the end of ``above`` is due to the line break alone."""
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
        # "state-of-the-" continues with a whole word; "self-super-" does not.
        return not (first and self.counts[last])


def is_east_asian(character: str) -> bool:
    """Whether a character belongs to a script written without spaces between words."""
    return "\u3000" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef"
