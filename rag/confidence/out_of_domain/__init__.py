"""Questions on all sorts of subjects, few of which any one library is about.

They were written for this package, one a line in ``questions.txt``, about a hundred: cooking and
tax law, comets and knots, some as claims, as researchers put them.
"""

from __future__ import annotations

from importlib.resources import files


def questions() -> tuple[str, ...]:
    """All of them, in English."""
    text = files("rag.confidence.out_of_domain").joinpath("questions.txt").read_text("utf-8")
    return tuple(line for line in text.splitlines() if line)
