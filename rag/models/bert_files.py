"""A plain BERT built from its files alone: tokenizer and weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from rag.errors import ModelError
from rag.models.bert import Bert
from rag.models.sentence_transformer import Network
from rag.models.tokenizer import Tokenization, prompts

PROBE = "Where does it say so? On the second page, third line: “so it goes”, 1969."
WITHIN = 1e-4
"""Tolerance when two backends' results, of magnitude about 1, are compared."""


@dataclass(frozen=True, slots=True, eq=False)
class PlainBert:
    """The parts of a plain BERT, free of PyTorch."""

    tokenization: Tokenization
    bert: Bert

    @classmethod
    def read(cls, folder: Path, window: int) -> Self | None:
        """Load the model in a folder, with ``window`` tokens per passage; None if it is no plain
        BERT.

        Raises
        ------
        ModelError
            If its files can't be read.
        """
        try:
            bert = Bert.read(folder)
            if bert is None:
                return None
            as_json = (folder / "tokenizer.json").read_text(encoding="utf-8")
            settings = folder / "config_sentence_transformers.json"
            config = json.loads(settings.read_text(encoding="utf-8")) if settings.exists() else {}
        except (OSError, ValueError) as error:
            raise ModelError(
                f"the model in {folder} can't be read: {error}; get it again"
            ) from error
        found = prompts(config.get("prompts") or {})
        return cls(Tokenization(as_json, *found, window=window), bert)

    @classmethod
    def equals(cls, folder: Path, network: Network) -> bool:
        """Whether the model can be loaded as a plain BERT and gives the same tokens and vectors as
        in sentence-transformers.
        """
        plain = cls.read(folder, network.tokenization.window)
        if plain is None or not plain.tokenization.same_as(network.tokenization):
            return False
        prompt = plain.tokenization.query_prompt
        probe = plain.tokenization.encode([prompt + PROBE])
        ours, theirs = plain.bert.forward(probe, prompt), network.forward(probe, prompt)
        return np.allclose(ours.tokens[0], theirs.tokens[0], rtol=0, atol=WITHIN)
