"""The texts that everyone indexes, the same each time."""

from __future__ import annotations

from pathlib import Path

from rag.evaluation.beir import read_beir


def first_texts(data: Path, characters: int) -> dict[str, str]:
    """The first documents of a set, by id, until they have so many characters."""
    found: dict[str, str] = {}
    for one in read_beir(data).documents or ():
        if sum(map(len, found.values())) >= characters:
            break
        found[one.id] = one.text
    return found


def questions(data: Path, most: int) -> list[str]:
    """The first questions of a set."""
    return [one.text for one in read_beir(data).questions[:most]]


def written(texts: dict[str, str], folder: Path) -> Path:
    """The texts as files in a folder."""
    folder.mkdir(parents=True)
    for number, text in enumerate(texts.values()):
        (folder / f"{number:05}.txt").write_text(text, encoding="utf-8")
    return folder
