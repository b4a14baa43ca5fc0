"""``rag ask``: a question in, passages out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.padding import Padding
from rich.text import Text

from rag.cli import output
from rag.cli.options import CollectionsOption, JsonOption, LibraryOption, RerankOption, library_at
from rag.cli.output import count, err, out, visible
from rag.errors import InputError
from rag.models.cross_encoder import CrossEncoderReranker
from rag.types import Answer, Found, FoundPassage, Quote
from rag.types.filters import Filter

DATES = ["%Y-%m-%d"]
DOCUMENTS_SHOWN = 20


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
    within: CollectionsOption = None,
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
    with library_at(library, reranker=reranker) as opened, err.status("Searching …"):
        found: Answer | Found
        if every:
            found = opened.find(question, limits, offset=offset, limit=k or 20)
        else:
            found = opened.ask(question, k or 5, limits)
        empty = not opened.status().documents
    if as_json:
        output.print_json(as_json_values(question, found))
    elif empty:
        out.print("The library is empty. Add documents: rag index PATH")
    else:
        instead = [f"Search instead: {found.alternative}"] if found.alternative else []
        for line in (*found.reading, *instead):
            out.print(Text(visible(line), "dim"), soft_wrap=True)
        if isinstance(found, Answer):
            _print_answer(found)
        else:
            _print_found(found)


def _pairs(given: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise InputError(f"--where takes NAME=VALUE, like author=Ada, not {one}")
        pairs[name] = value
    return pairs


def as_json_values(question: str, found: Answer | Found) -> dict[str, Any]:
    """Convert an answer or matches to JSON values."""
    values = {"question": question, **asdict(found)}
    for hit in values.get("hits", ()):
        del hit["confidence"]
    return values


def _print_answer(answer: Answer) -> None:
    """Print the passages, with a warning if they are only the nearest and probably no answer."""
    if not answer.answered:
        sentences = [answer.caution]
        if answer.hits and not answer.measured:
            sentences.append("This library is too small to measure confidence.")
        if answer.hits:
            sentences.append("The nearest passages:\n")
        out.print(" ".join(sentences), soft_wrap=True)
    for hit in answer.hits:
        lacking = f" · without {', '.join(map(visible, hit.unmet))}" if hit.unmet else ""
        _print_passage(hit.rank, hit, [hit.answer], f" · score {hit.score:.2f}{lacking}")


def _print_found(found: Found) -> None:
    """Print how many passages of which documents match, then a page of them."""
    passages, documents = count(found.passages, "passage"), count(len(found.documents), "document")
    out.print(f"{passages} in {documents}")
    for one in found.documents[:DOCUMENTS_SHOWN]:
        line = Text.assemble((f"{one.passages:6,}  ", "dim"), (visible(one.title), "bold"))
        out.print(line.append(f"  {visible(Path(one.source).name)}", "dim"), soft_wrap=True)
    if len(found.documents) > DOCUMENTS_SHOWN:
        out.print(f"… and {len(found.documents) - DOCUMENTS_SHOWN:,} more")
    out.print()
    for number, match in enumerate(found.matches, start=found.offset + 1):
        _print_passage(number, match, match.matched)
    after = found.offset + len(found.matches)
    if found.matches and after < found.passages:
        shown = f"{found.offset + 1:,} to {after:,} of {found.passages:,}"
        out.print(f"These are {shown}; the next ones: --offset {after}")


def _print_passage(
    number: int, found: FoundPassage, marked: Sequence[Quote], more: str = ""
) -> None:
    """Print a passage with these parts of it highlighted."""
    out.print(Text.assemble((f"{number}. ", "dim"), (visible(found.title), "bold")))
    out.print(Text(f"   {_place(found)}{more}", "dim"))
    out.print(Padding(_highlighted(found, marked), (0, 0, 1, 3)))


def _highlighted(found: FoundPassage, marked: Sequence[Quote]) -> Text:
    """Highlight parts of a passage, in colour or between » and « without a terminal."""
    spans = [(one.start - found.start, one.end - found.start) for one in marked]
    if out.is_terminal:
        text = Text(found.text)
        for first, last in spans:
            text.stylize("bold green", first, last)
        return text
    parts, end = [], 0
    for first, last in spans:
        if first >= end:  # a word inside a phrase is highlighted already
            parts.append(f"{found.text[end:first]}»{found.text[first:last]}«")
            end = last
    return Text("".join([*parts, found.text[end:]]))


def _place(found: FoundPassage) -> str:
    """Describe where a passage is: file, page, date."""
    parts = [Path(found.source).name]
    if found.page:
        parts.append(f"page {found.page_label or found.page}")
    if found.date:
        file_of = "file of " if found.date_from == "file time" else ""
        parts.append(file_of + found.date.isoformat())
    return visible(" · ".join(parts))
