"""``rag ask``: a question in, passages out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated

import typer

from rag.cli import hit_list, output
from rag.cli.options import JsonOption, LibraryOption, RerankOption, library_at
from rag.cli.output import err, out
from rag.errors import InputError
from rag.models.cross_encoder import CrossEncoderReranker
from rag.types.filters import Filter

DATES = ["%Y-%m-%d"]


def ask_command(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="In plain words.")],
    *,
    k: Annotated[
        int | None,
        typer.Option(
            "-k", "--hits", min=1, help="How many passages.", show_default="5; with --all 20"
        ),
    ] = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all", help="List every passage that contains all of the words, by document."
        ),
    ] = False,
    offset: Annotated[int, typer.Option(min=0, help="With --all, how many passages to skip.")] = 0,
    library: LibraryOption = None,
    since: Annotated[
        dt.datetime | None,
        typer.Option(formats=DATES, metavar="DATE", help="Documents from this day on."),
    ] = None,
    until: Annotated[
        dt.datetime | None,
        typer.Option(formats=DATES, metavar="DATE", help="Documents up to this day."),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Files like “*.pdf” or “letters/*”.")
    ] = None,
    title: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Documents with this in the title.")
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="CODE", help="Documents in a language, like “en”.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Documents with this metadata; may be repeated."),
    ] = None,
    within: Annotated[
        list[str] | None,
        typer.Option(
            "--in",
            metavar="NAME",
            help="Documents of a collection; may be repeated. rag status lists them.",
        ),
    ] = None,
    rerank: RerankOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the passages that answer a question, with the answering sentence highlighted.

    In the question, "quoted words" must occur verbatim, -excluded ones must not occur,
    +words are exempt from spelling correction,
    and title:, source:, language:, author:, since: and until: with a value are filters.

    Example: rag ask "Who led the mission?" -k 3 --since 2024-01-01 --source "*.pdf"
    """
    limits = Filter(
        since.date() if since else None,
        until.date() if until else None,
        source,
        title,
        language,
        _pairs(where or []),
        within or (),
    )
    if every and rerank is not None:
        raise InputError("--all lists passages in the order of their documents: leave out --rerank")
    reranker = CrossEncoderReranker(rerank) if rerank is not None else None
    # The first question loads the model, which takes seconds; no spinner without a terminal.
    with library_at(library, create=False, reranker=reranker) as opened, err.status("Searching …"):
        found = opened.find(question, limits, offset=offset, limit=k or 20) if every else None
        answer = None if found else opened.ask(question, k or 5, limits)
        empty = not opened.status().documents
    if as_json and found:
        output.print_json(hit_list.found_as_json(question, found))
    elif answer and as_json:
        output.print_json(hit_list.answer_as_json(question, answer))
    elif empty:
        out.print("The library is empty. Add documents: rag index PATH")
    elif found:
        hit_list.print_reading(found.reading)
        hit_list.print_alternative(found.alternative)
        hit_list.print_found(found)
    elif answer:
        hit_list.print_reading(answer.reading)
        hit_list.print_alternative(answer.alternative)
        hit_list.print_answer(answer)


def _pairs(given: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise InputError(f"--where takes NAME=VALUE, like author=Ada, not {one}")
        pairs[name] = value
    return pairs
