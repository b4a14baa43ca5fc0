"""Choose the model of a library by the languages of the documents that are indexed first."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rag.documents.detection import PICTURES
from rag.documents.sandbox.reader import read
from rag.models import multilingual
from rag.models.named_models import MINILM, MULTILINGUAL, PackagedModel
from rag.runtime.heartbeat import Beat, no_heartbeat
from rag.text.language import untrained

SAMPLE = 40
"""Files read, spread evenly over all."""

LARGEST = 2_000_000
"""Size in bytes beyond which a file is left out of the sample, unless all are larger."""

SECONDS = 2.0
"""How long they may take after the first; the rest of the sample is left out then."""

LEAST_FOREIGN = 1 / 3
"""Share of other languages than English, among documents of known language, from which on the
multilingual model is better. It ranks English documents a little less well:
tests/bench/RESULTS.md."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The model, and how many documents of the sample are in languages other than English."""

    model: PackagedModel
    untrained: Mapping[str, int]

    @property
    def note(self) -> str:
        """Why it is the multilingual model, for the user."""
        return (
            f"Many documents are in other languages than English ({', '.join(self.untrained)}): the"
            f" library uses {self.model.name}. For the English model: rag index --model"
            f" {MINILM.name}"
        )


def choose_model(files: Sequence[Path], beat: Beat = no_heartbeat) -> ModelChoice:
    """The packaged model for a new library of these files: the English one, unless a third of a
    sample is in other languages and the multilingual one is installed.
    """
    files = [one for one in files if one.suffix.lower() not in PICTURES]
    sample = sorted(files[:: max(-(-len(files) // SAMPLE), 1)], key=_size)
    sample = [one for one in sample if _size(one) <= LARGEST] or sample[:1]
    languages: dict[Path, str] = {}
    end = math.inf
    with closing(read(sample, beat=beat)) as found:
        for one in found:
            if isinstance(one, tuple):
                path, document = one
                end = min(end, time.monotonic() + SECONDS)
                languages.setdefault(path, dict(document.metadata).get("language", ""))
            if time.monotonic() > end:
                break
    known = [one for one in languages.values() if one]
    foreign = untrained(Counter(known), MINILM.languages)
    enough = sum(foreign.values()) >= LEAST_FOREIGN * len(known)
    is_multilingual = foreign and enough and multilingual.is_installed()
    return ModelChoice(MULTILINGUAL if is_multilingual else MINILM, foreign)


def _size(file: Path) -> float:
    try:
        return file.stat().st_size
    except OSError:
        return math.inf
