"""The command ``rag tune``: weights of the ranking, fitted to what was rated."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from rag import terminal
from rag.commands.options import JsonOption, LibraryOption, library_at
from rag.commands.progress import progress_of
from rag.default import default_library
from rag.errors import InputError
from rag.evaluation.evaluating import opened_with_ratings
from rag.ranking import Ranking
from rag.terminal import out
from rag.tuning import LEAST_QUESTIONS, Tuning, tune


def tune_command(
    library: LibraryOption = None,
    *,
    apply: Annotated[
        bool, typer.Option("--apply", help="Rank like that from now on, if the gain is real.")
    ] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Go back to the default ranking.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Fit the weights of the ranking to the passages that were rated on the page.

    It says what there is to gain, on questions that had no part in the choice, and changes
    nothing unless that is more than chance and --apply is given.

    Example: rag tune --apply
    """
    place = library or default_library()
    if reset:
        if apply or as_json:
            raise InputError("--reset stands alone; leave the other options out")
        with library_at(place, create=False) as opened:
            opened.tune(None)
        out.print("The library ranks by default again.")
        return
    with opened_with_ratings(place) as (labelled, filled), progress_of("questions") as show:
        found = tune(labelled, filled, show)
    applied = apply and found.is_real
    if applied:
        with library_at(place, create=False) as opened:
            opened.tune(found.best)
    if as_json:
        terminal.print_json(asdict(found) | {"is_real": found.is_real, "applied": applied})
    else:
        _print(found, labelled.unlabelled, applied=applied)


def _print(found: Tuning, unlabelled: int, *, applied: bool) -> None:
    gain, now = found.gain, found.now
    left_out = f", {unlabelled:,} left out for want of a good one" if unlabelled else ""
    out.print(f"{terminal.count(now.questions, 'rated question')}{left_out}")
    out.print(f"now   {_weights(found.current)}: MRR@10 {now.mean:.3f}")
    out.print(f"best  {_weights(found.best)}")
    out.print(
        f"gain  {gain.mean:+.3f}, 95 %: {gain.low:+.3f} … {gain.high:+.3f}, "
        "on questions that had no part in the choice"
    )
    if applied:
        out.print("From now on the library ranks like that. Back again: rag tune --reset")
    elif found.is_real:
        out.print("The gain is real. To rank like that: rag tune --apply")
    elif gain.questions < LEAST_QUESTIONS:
        out.print(f"Too few to tell: {LEAST_QUESTIONS} questions are needed. Nothing was changed.")
    elif gain.mean > 0.0:
        out.print("That may be chance. Nothing was changed.")
    else:
        out.print("There is nothing to gain. Nothing was changed.")


def _weights(ranking: Ranking) -> str:
    return f"meaning_weight {ranking.meaning_weight:g}, tokens_weight {ranking.tokens_weight:g}"
