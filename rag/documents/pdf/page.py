"""The content of one PDF page with positions: the basic types of this package."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """Words of one line without wide gaps between them.

    Coordinates are in points from the bottom of the page, rotated so that most text is upright.
    ``base`` is the baseline. ``is_field`` says that they are filled into a form.
    """

    text: str
    left: float
    right: float
    base: float
    size: float
    bold: bool
    is_field: bool = False


@dataclass(frozen=True, slots=True)
class Row(Piece):
    """Pieces side by side: a line of prose, or a table row with its ``cells``."""

    cells: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as extracted.

    ``turned`` are pieces in other directions than most of the page, such as axis labels.
    ``pictured`` is the share of the page covered by its largest image, or 0 if there is enough
    text. A page is ``garbled`` if its fonts don't tell its letters, or wrongly. ``notes`` are what
    people wrote onto it; not all are there if there are too many, ``is_crowded``. ``has_files``
    says that files are attached to it.
    """

    pieces: tuple[Piece, ...]
    turned: tuple[Piece, ...]
    bottom: float
    top: float
    pictured: float = 0.0
    garbled: bool = False
    notes: tuple[str, ...] = ()
    is_crowded: bool = False
    has_files: bool = False


Region = tuple[Row, ...]
"""Consecutive rows: a column, or what spans all columns."""
