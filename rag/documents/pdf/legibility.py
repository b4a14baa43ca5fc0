"""Judge whether the text of a page is the printed one, or its fonts name wrong letters.

Fonts without a table of their characters, or with a wrong one, give private or unassigned code
points, letters shifted by a constant, or gaps.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

from rag.documents.pdf.glyphs import Glyphs, Whole

_LEAST_CODES = 20
_MEANINGLESS = ((0x00, 0x20), (0x7F, 0xA0), (0xE000, 0xF900), (0xFFFD, 0x10000))
"""Control characters, the private use area, and substitutes for unknown characters."""
_HYPHEN = 0x02  # pdfium's code for a hyphen at the end of a line
_MOST_MEANINGLESS = 0.25

_WORD = re.compile(r"[^\W\d_]{4,}")
_LEAST_LETTERS = 200
_LEAST_DISTINCT = 15
"""Number of different letters that text has, unlike a sequence of genes, say."""
_MOST_ACCENTED = 0.6
"""Maximum share of letters outside of ASCII among Latin letters; a third in Vietnamese."""
_LEAST_ALIKE = 0.2
"""Minimum correlation of letter frequencies with the usual ones. It is 0.4 to 0.9 for languages in
Latin script, code included, and mostly below 0.2 if letters are shifted."""
_USUAL = np.array(
    # a to z, in per cent: the mean of European languages
    [9.5, 1.5, 3.0, 4.2, 12.5, 1.3, 1.9, 2.5, 8.0, 0.8, 2.0, 4.5, 3.0,
     7.5, 7.0, 2.4, 0.3, 6.5, 6.5, 7.0, 4.0, 1.5, 1.0, 0.2, 1.3, 1.2]
)  # fmt: skip
_LATIN = [chr(ord("a") + at) for at in range(26)]

_LEAST_WORDS = 100
_SHORT_WORD, _MOST_SHORT = 2, 0.7
"""Maximum share of words up to two letters long in text without holes."""
_SAME_LINE = 0.5
_GAP, _WORD_GAP, _WIDE_GAP = 0.15, 0.45, 3.0
"""In em: minimum distance between words, maximum median of it, and minimum between cells."""


def are_meaningless(codes: Whole) -> bool:
    """Whether many characters of a page stand for nothing, since a font has no Unicode mapping."""
    unknown = -int((codes == _HYPHEN).sum())
    for first, after in _MEANINGLESS:
        unknown += int(((first <= codes) & (codes < after)).sum())
    return len(codes) >= _LEAST_CODES and unknown > _MOST_MEANINGLESS * len(codes)


def is_legible(glyphs: Glyphs, lines: Sequence[str]) -> bool:
    """Whether the lines of a page look like text in some language."""
    text = " ".join(lines)
    return not (_has_wrong_letters("".join(_WORD.findall(text))) or _has_holes(glyphs, text))


def _has_wrong_letters(letters: str) -> bool:
    """Whether letters are shifted, or accented ones stand for those of another script."""
    counts = Counter(letters)
    latin = {one: count for one, count in counts.items() if "LATIN" in unicodedata.name(one, "")}
    if sum(latin.values()) < _LEAST_LETTERS:
        return False
    accented = sum(count for one, count in latin.items() if not one.isascii())
    if accented > _MOST_ACCENTED * sum(latin.values()):
        return True
    plain = Counter(unicodedata.normalize("NFKD", letters).casefold())
    found = np.array([plain[letter] for letter in _LATIN])
    if np.count_nonzero(found) < _LEAST_DISTINCT:
        return False
    return float(np.corrcoef(found, _USUAL)[0, 1]) < _LEAST_ALIKE


def _has_holes(glyphs: Glyphs, text: str) -> bool:
    """Whether letters are missing: words are short, and the gaps between them are wide."""
    words = [word for word in text.split() if word.isalpha()]
    short = sum(len(word) <= _SHORT_WORD for word in words)
    if len(words) < _LEAST_WORDS or short < _MOST_SHORT * len(words):
        return False
    seen = ~glyphs.blank
    left, right, base, size = (
        each[seen] for each in (glyphs.left, glyphs.right, glyphs.base, glyphs.size)
    )
    gaps = (left[1:] - right[:-1]) / size[1:]
    in_line = (np.abs(np.diff(base)) < _SAME_LINE * size[1:]) & (gaps > _GAP) & (gaps < _WIDE_GAP)
    return bool(in_line.any()) and float(np.median(gaps[in_line])) > _WORD_GAP
