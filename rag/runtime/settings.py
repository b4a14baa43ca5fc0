"""Limits that hold at every door: the page, programs, assistants, the command line and Python."""

from __future__ import annotations

from typing import Final

MAX_QUESTION_LENGTH: Final = 10_000
"""Characters of a question, with all its conditions. One that is longer is refused."""

MAX_SEARCHED_LENGTH: Final = 1_000
"""Characters of a question that are searched for, its conditions apart; about as many as the
packaged model reads. The rest is left out."""

MAX_FILTER_LENGTH: Final = 500
"""Characters of each value that limits a search to some documents."""
