"""The ranking that a library was tuned to, kept with it as what differs from the default."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from rag.errors import InputError, LibraryMismatch
from rag.ranking import DEFAULT, Ranking
from rag.store import Database

NAME = "ranking"
"""Under which it is kept."""


def differing(ranking: Ranking) -> dict[str, float]:
    """Those settings that are not the default, by name."""
    usual = asdict(DEFAULT)
    return {name: value for name, value in asdict(ranking).items() if value != usual[name]}


def kept(database: Database) -> Ranking:
    """How the library ranks: as it was tuned, or by default.

    Raises
    ------
    LibraryMismatch
        If it was tuned by a version with other settings.
    """
    found = database.note(NAME)
    try:
        return replace(DEFAULT, **json.loads(found)) if found else DEFAULT
    except (TypeError, InputError) as error:
        raise LibraryMismatch(
            f"the library was tuned by another version of rag ({error}); go back to the default "
            "ranking: rag tune --reset"
        ) from error


def keep(database: Database, ranking: Ranking | None) -> None:
    """Rank like this from now on; None is the default."""
    settings = differing(ranking) if ranking else {}
    database.keep(NAME, json.dumps(settings) if settings else None)
