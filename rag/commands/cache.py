"""The command ``rag cache``: what is kept of encodings, for all libraries together."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from rag import cache, terminal
from rag.commands.options import JsonOption


def cache_command(
    *,
    clear: Annotated[bool, typer.Option("--clear", help="Empty it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say how much is kept of what texts were encoded to, or empty it.

    The model reads each text once: a second library of the same documents, or the same one made
    anew, takes it from here. What was of use the longest ago goes first when it is full. Set
    RAG_CACHE_LIMIT to 500MB, say, for another size than 2 GB, or to 0 to do without.
    """
    if clear:
        cache.clear()
    found = cache.status()
    if as_json:
        terminal.print_json(asdict(found) | {"path": str(found.path)})
    else:
        terminal.print_cache(found)
