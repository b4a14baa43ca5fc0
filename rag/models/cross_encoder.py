"""Cross-encoders: a model that reads the question and a passage together. Off unless asked for.

They order better than anything that looks at the two apart, and cost a pass of the model for
each passage (Nogueira and Cho, "Passage re-ranking with BERT", arXiv:1901.04085).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from rag.errors import ModelError
from rag.models.transformers_log import quiet_transformers
from rag.runtime.files import SPECIAL, special_in
from rag.types.arrays import Scores

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder


class Reranker(Protocol):
    """Judges passages with the question in view."""

    def scores(self, question: str, passages: Sequence[str]) -> Scores:
        """How well each passage answers the question, in [0, 1]; shape (passages,)."""
        ...


class CrossEncoderReranker:
    """A cross-encoder of sentence-transformers, by the path of its folder, or by its name.

    A name is looked up among the models that this machine has; nothing is downloaded.

    Raises
    ------
    ModelError
        If there is no such model, or it is no cross-encoder with one output.
    """

    def __init__(self, model: str) -> None:
        self._model = _loaded(model)

    def scores(self, question: str, passages: Sequence[str]) -> Scores:
        """How well each passage answers the question, in [0, 1]; shape (passages,)."""
        if not passages:
            return np.zeros(0)
        import torch

        # Whatever activation the model names, a sigmoid keeps the order and gives a share.
        found = self._model.predict(
            [(question, passage) for passage in passages],
            activation_fn=torch.nn.Sigmoid(),
            show_progress_bar=False,
        )
        return np.asarray(found, dtype=np.float64)


def _loaded(model: str) -> CrossEncoder:
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
    # For any other model a last layer is made up, of random weights, with no more than a warning.
    kinds = found[0].model.config.architectures or []
    if len(found) == 1 and not any(kind.endswith("ForSequenceClassification") for kind in kinds):
        raise ModelError(
            f"{model} is no cross-encoder but a {', '.join(kinds) or 'model without a kind'}; "
            "name another model"
        )
    return cast("CrossEncoder", found)
