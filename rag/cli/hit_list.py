"""The output of ``rag ask``: interpretation of the question, answer, and lists of matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.padding import Padding
from rich.text import Text

from rag.cli.output import count, out, visible
from rag.types import Answer, Found, FoundPassage, Hit, Match

DOCUMENTS_SHOWN = 20


def print_reading(lines: Sequence[str]) -> None:
    """Print how a question was interpreted; nothing for a plain question."""
    for line in lines:
        out.print(Text(line, "dim"), soft_wrap=True)


def print_alternative(question: str | None) -> None:
    """Print the suggested question, if there is one."""
    if question:
        print_reading([f"Search instead: {question}"])


def print_answer(answer: Answer) -> None:
    """Print the passages, with a warning if they are only the nearest and probably no answer."""
    if not answer.conditions_met:
        out.print("No document meets all of these conditions.")
    elif not answer.hits:
        out.print(
            "This is probably not in your documents: no passage has any of these words.",
            soft_wrap=True,
        )
    elif not answer.answered:
        aside = "" if answer.measured else ", by experience with other libraries: this one is small"
        out.print(
            "This is probably not in your documents"
            f" (confidence {round(100 * answer.confidence)} %{aside}). The nearest passages:\n",
            soft_wrap=True,
        )
    for hit in answer.hits:
        _print_hit(hit)


def answer_as_json(question: str, answer: Answer) -> dict[str, object]:
    """Convert an answer to JSON values."""
    hits = [_hit_as_json(hit) for hit in answer.hits]
    return {"question": question, **asdict(answer), "hits": hits}


def print_found(found: Found) -> None:
    """Print how many passages of which documents match, then a page of them."""
    passages, documents = count(found.passages, "passage"), count(len(found.documents), "document")
    out.print(f"{passages} in {documents}")
    for one in found.documents[:DOCUMENTS_SHOWN]:
        line = Text.assemble((f"{one.passages:6,}  ", "dim"), (one.title, "bold"))
        out.print(line.append(f"  {visible(Path(one.source).name)}", "dim"), soft_wrap=True)
    if len(found.documents) > DOCUMENTS_SHOWN:
        out.print(f"… and {len(found.documents) - DOCUMENTS_SHOWN:,} more")
    out.print()
    for number, match in enumerate(found.matches, start=found.offset + 1):
        _print_match(number, match)
    after = found.offset + len(found.matches)
    if found.matches and after < found.passages:
        shown = f"{found.offset + 1:,} to {after:,} of {found.passages:,}"
        out.print(f"These are {shown}; the next ones: --offset {after}")


def found_as_json(query: str, found: Found) -> dict[str, object]:
    """Convert matches to JSON values."""
    return {"question": query, **asdict(found)}


def _print_match(number: int, match: Match) -> None:
    out.print(Text.assemble((f"{number}. ", "dim"), (match.title, "bold")))
    out.print(Text(f"   {_place(match)}", "dim"))
    out.print(Padding(_with_matches(match), (0, 0, 1, 3)))


def _with_matches(match: Match) -> Text:
    """Highlight the matches in a passage, in colour or between » and « without a terminal."""
    text = Text(match.text)
    if out.is_terminal:
        for quote in match.matched:
            text.stylize("bold green", quote.start - match.start, quote.end - match.start)
        return text
    parts, end = [], 0
    for quote in match.matched:
        first, last = quote.start - match.start, quote.end - match.start
        if first >= end:  # a word inside a phrase is highlighted already
            parts.append(f"{match.text[end:first]}»{match.text[first:last]}«")
            end = last
    return Text("".join([*parts, match.text[end:]]))


def _print_hit(hit: Hit) -> None:
    """Print a passage with its answering sentence highlighted."""
    out.print(Text.assemble((f"{hit.rank}. ", "dim"), (hit.title, "bold")))
    out.print(Text(f"   {_place(hit)} · score {hit.score:.2f}", "dim"))
    out.print(Padding(_with_answer(hit), (0, 0, 1, 3)))


def _place(found: FoundPassage) -> str:
    """Describe where a passage is: file, page, date."""
    parts = [visible(Path(found.source).name)]
    if found.page:
        parts.append(f"page {found.page_label or found.page}")
    if found.date:
        file_of = "file of " if found.date_from == "file time" else ""
        parts.append(file_of + found.date.isoformat())
    return " · ".join(parts)


def _with_answer(hit: Hit) -> Text:
    """Highlight the answer in a passage, in colour or between » and « without a terminal."""
    first, last = hit.answer.start - hit.start, hit.answer.end - hit.start
    if not out.is_terminal:
        return Text(f"{hit.text[:first]}»{hit.text[first:last]}«{hit.text[last:]}")
    text = Text(hit.text)
    text.stylize("bold green", first, last)
    return text


def _hit_as_json(hit: Hit) -> dict[str, object]:
    """Convert a hit to JSON values."""
    return {name: value for name, value in asdict(hit).items() if name != "confidence"}
