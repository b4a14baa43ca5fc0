"""Text → the language it is written in, by py3langid (Lui and Baldwin, "langid.py", ACL 2012)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

SAMPLE = 4000
"""Characters that are looked at; more make no difference."""

FEWEST_LETTERS = 20
LEAST_CONFIDENCE = 0.9


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
