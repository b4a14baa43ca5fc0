"""The language of a text: as declared by the file, or identified by py3langid (Lui and Baldwin,
"langid.py", ACL 2012).
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from rag.types import Document

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

SAMPLE = 4000
"""Characters used for identification; more make no difference."""

FEWEST_BYTES = 20
"""Minimum bytes of letters in UTF-8, which is what py3langid reads: seven Chinese characters say as
much as twenty Latin letters."""

LEAST_CONFIDENCE = 0.9

NOTABLE = 0.05
"""Minimum share of a library's documents for untrained languages to be reported."""

_LOADING = threading.Lock()
"""Loading the model takes 0.8 s of CPU; threads that need it at the same time wait for one."""

_TAG = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{1,8})*", re.IGNORECASE)
_NO_LANGUAGE = frozenset({"und", "mul", "mis", "zxx"})
"""ISO 639 codes for undetermined, multiple, uncoded, and no linguistic content."""

_THREE_LETTERS = (
    "ar ara arb ary arz, bg bul, bn ben, ca cat, cs ces cze, da dan, de deu ger, el ell gre,"
    " en eng, es spa, et est, fa fas per pes prs, fi fin, fr fra fre, he heb hbo, hi hin, hr hrv,"
    " hu hun, id ind, it ita, ja jpn, ko kor, lt lit, lv lav, ms msa may, nb nob, nl nld dut,"
    " nn nno, no nor, pl pol, pt por, ro ron rum, ru rus, sk slk slo, sl slv, sr srp, sv swe,"
    " ta tam, th tha, tr tur, uk ukr, ur urd, vi vie, zh zho chi cmn wuu yue"
)
_SHORTER = MappingProxyType(
    {long: short for short, *longs in map(str.split, _THREE_LETTERS.split(",")) for long in longs}
)
"""Two-letter codes for the most frequent three-letter codes (ISO 639-2, both sets), and for
varieties of one written language: Egyptian and Moroccan Arabic, Mandarin, Wu and Cantonese."""


_SCRIPTS = MappingProxyType(
    {
        language: frozenset(scripts.split())
        for languages, scripts in (
            ("be bg kk ky mk mn ru tg uk", "CYRILLIC"),
            ("sr", "CYRILLIC LATIN"),
            ("ar fa ps ug ur", "ARABIC"),
            ("hi mr ne", "DEVANAGARI"),
            ("as bn", "BENGALI"),
            ("ja", "CJK HIRAGANA KATAKANA"),
            ("zh", "CJK"),
            ("ko", "HANGUL CJK"),
            *(("am", "ETHIOPIC"), ("dz", "TIBETAN"), ("el", "GREEK"), ("gu", "GUJARATI")),
            *(("he", "HEBREW"), ("hy", "ARMENIAN"), ("ka", "GEORGIAN"), ("km", "KHMER")),
            *(("kn", "KANNADA"), ("lo", "LAO"), ("ml", "MALAYALAM"), ("or", "ORIYA")),
            *(("pa", "GURMUKHI"), ("si", "SINHALA"), ("ta", "TAMIL"), ("te", "TELUGU")),
            ("th", "THAI"),
        )
        for language in languages.split()
    }
)
"""Scripts of languages that py3langid knows, by the first word of their letters' Unicode names;
those of all others are Latin."""
_LATIN = frozenset({"LATIN"})


def code(named: str) -> str | None:
    """The ISO 639 code of a tag such as ``en-IN``, ``EN_us`` (BCP 47) or ``eng``, in lower case; of
    two letters if one is in common use. None for an invalid tag, or one that names no language.
    """
    tag = _TAG.fullmatch(named.strip())
    found = tag[1].lower() if tag else None
    return None if found is None or found in _NO_LANGUAGE else _SHORTER.get(found, found)


def language(text: str) -> str | None:
    """The ISO 639-1 code of the language of ``text``, or None if the text is too short."""
    sample = text[:SAMPLE]
    if len("".join(filter(str.isalpha, sample)).encode()) < FEWEST_BYTES:
        return None
    with _LOADING:
        identifier = _identifier()
    # Varieties of one language share its probability, so that none alone would be confident.
    confidence: defaultdict[str | None, float] = defaultdict(float)
    for label, probability in identifier.rank(sample):
        confidence[code(label)] += float(probability)
    likeliest = max(confidence, key=confidence.__getitem__)
    return likeliest if confidence[likeliest] >= LEAST_CONFIDENCE else None


def script(text: str) -> str | None:
    """The script of most letters at the beginning of ``text``, by the first word of their Unicode
    names, such as "LATIN" or "CYRILLIC"; None if it has no letters.

    >>> script("Кто написал Hamlet?"), script("1066")
    ('CYRILLIC', None)
    """
    letters = filter(str.isalpha, text[:SAMPLE])
    names = (unicodedata.name(one, "").partition(" ")[0] for one in letters)
    counts = Counter(filter(None, names))
    return max(counts, key=counts.__getitem__, default=None)


def is_written_in(language: str, script: str) -> bool:
    """Whether texts in a language, by its ISO code, are in that script."""
    return script in _SCRIPTS.get(language, _LATIN)


def with_language(document: Document) -> Document:
    """The document with its language code in the metadata, identified if not declared."""
    fields = dict(document.metadata)
    named = code(fields.get("language", ""))
    found = named or language(document.text)
    if found:
        origin = fields.get("language_from", "file") if named else "document"
        fields |= {"language": found, "language_from": origin}
    return replace(document, metadata=fields)


def untrained(documents: Mapping[str, int], trained: frozenset[str]) -> dict[str, int]:
    """Count documents in languages a model was not trained on, if their share is notable.

    Parameters
    ----------
    documents
        Number of documents by ISO language code; ``""`` counts those of unknown language.
    trained
        The model's training languages; if empty (unknown), nothing is reported.

    Returns
    -------
    dict of str to int
        Document counts by language, the most frequent first.
    """
    foreign = {one: count for one, count in documents.items() if one and one not in trained}
    if not trained or sum(foreign.values()) < NOTABLE * sum(documents.values()):
        return {}
    return dict(sorted(foreign.items(), key=lambda item: (-item[1], item[0])))


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
