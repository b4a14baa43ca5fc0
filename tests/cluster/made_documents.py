"""Small documents that are all different, each with a fact that only it has."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

_PLACES = ("lighthouse", "mill", "quarry", "chapel", "harbour", "ferry", "bakery", "archive")
_THINGS = ("ledger", "bell", "barometer", "lantern", "map", "clock", "telescope", "anvil")
_METALS = ("brass", "copper", "iron", "silver", "pewter", "bronze", "steel", "zinc")
_STARTS = ("Al", "Bor", "Cas", "Dun", "El", "Far", "Gor", "Hal", "Is", "Jor", "Kel", "Lun")
_MIDDLES = ("an", "be", "di", "fo", "ga", "hi", "ke", "lo", "mi", "no", "pu", "ra", "se", "ti")
_ENDS = ("burg", "dale", "ford", "ham", "mouth", "ness", "stead", "thorpe", "wick", "worth")


@dataclass(frozen=True, slots=True)
class Made:
    """A document, with a question that it answers and the name that the answer has."""

    name: str
    text: str
    question: str
    answer: str


def made(count: int) -> Iterator[Made]:
    """So many documents, the same ones each time; no two towns have the same name."""
    chosen = random.Random(8)  # noqa: S311 (no secret)
    towns = [
        start + first + second + end
        for start in _STARTS
        for first in _MIDDLES
        for second in _MIDDLES
        for end in _ENDS
    ]
    chosen.shuffle(towns)
    for number, town in enumerate(towns[:count]):
        place, thing, metal = map(chosen.choice, (_PLACES, _THINGS, _METALS))
        year = chosen.randrange(1600, 1900)
        text = (
            f"The {place} of {town} was built in {year}. Its keeper wrote letters every winter.\n\n"
            f"In the {place} of {town} there is a {thing} made of {metal}, which visitors may see"
            " on Sundays.\n"
        )
        yield Made(
            name=f"{number // 500:02}/{town.lower()}.txt",
            text=text,
            question=f"What can visitors see in the {place} of {town}?",
            answer=f"a {thing} made of {metal}",
        )
