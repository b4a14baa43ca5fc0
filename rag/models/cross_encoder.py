"""Reranking with a cross-encoder, which reads query and passage together. Off by default.

A cross-encoder ranks better than any model that encodes the two separately, and costs one forward
pass per passage (Nogueira and Cho, "Passage re-ranking with BERT", arXiv:1901.04085).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from rag.errors import ModelError
from rag.models.sentence_transformer import quiet_transformers
from rag.runtime.files import SPECIAL, special_in
from rag.types.arrays import Scores

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder


class Reranker(Protocol):
    """Scores passages against a query, reading both together."""

    def scores(self, question: str, passages: Sequence[str]) -> Scores:
        """Relevance of each passage to the query, in [0, 1]; shape (passages,)."""
        ...


class CrossEncoderReranker:
    """A sentence-transformers cross-encoder, given by folder or by name.

    A name is looked up in the local model cache; nothing is downloaded.

    Raises
    ------
    ModelError
        If there is no such model, or it is not a cross-encoder with a single output.
    """

    def __init__(self, model: str) -> None:
        self._model = _load(model)

    def scores(self, question: str, passages: Sequence[str]) -> Scores:
        """Relevance of each passage to the query, in [0, 1]; shape (passages,)."""
        if not passages:
            return np.zeros(0)
        import torch

        # A sigmoid preserves the order and maps to [0, 1], whatever activation the model specifies.
        found = self._model.predict(
            [(question, passage) for passage in passages],
            activation_fn=torch.nn.Sigmoid(),
            show_progress_bar=False,
        )
        return np.asarray(found, dtype=np.float64)


def _load(model: str) -> CrossEncoder:
    if special := special_in(Path(model).expanduser().rglob("*")):
        raise ModelError(f"{special}: {SPECIAL}; get the model again")
    with quiet_transformers():
        from sentence_transformers import CrossEncoder

        try:
            found = CrossEncoder(model, local_files_only=True)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"there is no cross-encoder {model} on this machine; "
                "name the folder of one that you have"
            ) from error
    if found.num_labels != 1:
        raise ModelError(
            f"{model} has {found.num_labels} outputs; a cross-encoder for ranking has one: "
            "name another model"
        )
    # Any other model would get a randomly initialised output layer, with only a warning.
    kinds = found[0].model.config.architectures or []
    if len(found) == 1 and not any(kind.endswith("ForSequenceClassification") for kind in kinds):
        raise ModelError(
            f"{model} is not a cross-encoder but a {', '.join(kinds) or 'model without a kind'}; "
            "name another model"
        )
    return cast("CrossEncoder", found)
