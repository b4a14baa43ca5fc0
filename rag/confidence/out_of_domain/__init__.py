"""Out-of-domain queries: questions on many subjects, few of which any one library covers.

Written for this package, about a hundred, one per line in ``questions.txt``: cooking and tax law,
comets and knots, some as claims, as researchers put them.
"""

from __future__ import annotations

from importlib.resources import files


def questions() -> tuple[str, ...]:
    """All out-of-domain queries, in English."""
    text = files("rag.confidence.out_of_domain").joinpath("questions.txt").read_text("utf-8")
    return tuple(line for line in text.splitlines() if line)
