"""What stands on one page of a PDF and where: the smallest things the other modules work with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """Words of one line with no wide gap between them.

    Positions are in points, upwards from the bottom of the page, as if the page had been turned
    until its writing stands upright. ``base`` is the line on which the letters stand.
    """

    text: str
    left: float
    right: float
    base: float
    size: float
    bold: bool


@dataclass(frozen=True, slots=True)
class Row:
    """Pieces that stand side by side: a line of prose, or a row of a table with its ``cells``."""

    text: str
    left: float
    right: float
    base: float
    size: float
    bold: bool
    cells: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as it was read.

    ``turned`` are pieces written in another direction than most of the page, such as the words
    along an axis. ``pictured`` is the share of the page that its largest picture covers, and 0
    where there is text enough. A page is ``garbled`` if its fonts don't say what they draw.
    """

    pieces: tuple[Piece, ...]
    turned: tuple[Piece, ...]
    bottom: float
    top: float
    pictured: float = 0.0
    garbled: bool = False


Region = tuple[Row, ...]
"""Rows to be read one after the other: a column, or what stands across all columns."""
