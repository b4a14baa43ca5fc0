"""The language of a text: as a file names it, or as its words show it, by py3langid (Lui and
Baldwin, "langid.py", ACL 2012).
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

SAMPLE = 4000
"""Characters that are looked at; more make no difference."""

FEWEST_LETTERS = 20
LEAST_CONFIDENCE = 0.9

_TAG = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{1,8})*", re.IGNORECASE)
_NO_LANGUAGE = frozenset({"und", "mul", "mis", "zxx"})
"""Codes of ISO 639 that say that it is unknown, several, without a code, or none."""


def code(named: str) -> str | None:
    """The language in a tag such as ``en-IN`` or ``EN_us`` (BCP 47), ``en``: its ISO 639 code in
    lower case. None where that is no such tag, or one that names no language.
    """
    tag = _TAG.fullmatch(named.strip())
    found = tag[1].lower() if tag else None
    return None if found in _NO_LANGUAGE else found


def language(text: str) -> str | None:
    """The ISO 639-1 code of the language of ``text``, or None where it is too short to tell."""
    sample = text[:SAMPLE]
    if sum(map(str.isalpha, sample)) < FEWEST_LETTERS:
        return None
    code, confidence = _identifier().classify(sample)
    return str(code) if confidence >= LEAST_CONFIDENCE else None


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
