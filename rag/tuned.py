"""The ranking that a library was tuned to, kept with it as what differs from the default."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from rag.engine import Notes
from rag.errors import InputError, LibraryMismatch
from rag.ranking import DEFAULT, Ranking

NAME = "ranking"
"""Under which it is kept."""


def differing(ranking: Ranking) -> dict[str, float]:
    """Those settings that are not the default, by name."""
    usual = asdict(DEFAULT)
    return {name: value for name, value in asdict(ranking).items() if value != usual[name]}


def kept(notes: Notes) -> Ranking:
    """How the library ranks: as it was tuned, or by default.

    Raises
    ------
    LibraryMismatch
        If it was tuned by a version with other settings.
    """
    found = notes.note(NAME)
    try:
        return replace(DEFAULT, **json.loads(found)) if found else DEFAULT
    except (TypeError, ValueError, InputError) as error:
        raise LibraryMismatch(
            f"the library was tuned by another version of rag ({error}); go back to the default "
            "ranking: rag tune --reset"
        ) from error


def keep(notes: Notes, ranking: Ranking | None) -> None:
    """Rank like this from now on; None is the default."""
    settings = differing(ranking) if ranking else {}
    notes.keep(NAME, json.dumps(settings) if settings else None)
