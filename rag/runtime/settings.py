"""Limits common to all interfaces: web page, REST, MCP, command line and Python."""

from __future__ import annotations

from typing import Final

MAX_QUESTION_LENGTH: Final = 10_000
"""Maximum characters of a question including its filters. A longer one is refused."""

MAX_SEARCHED_LENGTH: Final = 1_000
"""Maximum characters of a question, without its filters, that are searched for; about as many as
the packaged model's window. The rest is ignored."""

MAX_FILTER_LENGTH: Final = 500
"""Maximum characters of each value of a filter."""
