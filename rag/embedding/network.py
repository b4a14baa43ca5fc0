"""A loaded model: text → tokens → vectors. The only module that knows sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from rag.arrays import TokenVectors, Vectors
from rag.errors import ModelError
from rag.quiet import quiet_transformers

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer
    from tokenizers import Encoding, Tokenizer

UNKNOWN_WINDOW = 512
"""Tokens read of a text by a model that sets no bound."""

LONGEST_WINDOW = 8192
"""Tokens read of a text by a model that could read more."""

_WITHOUT_EFFECT = frozenset({"Normalize", "Dropout"})
"""Layers after the mean that leave a vector's direction as it is."""

_KNOWN = _WITHOUT_EFFECT | {"Pooling", "Dense", "LayerNorm"}


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """What one pass makes of texts: the vectors of each one's tokens, special ones included, and
    one vector a text, shape (texts, full dimension), of any length.
    """

    tokens: list[TokenVectors]
    texts: Vectors


class Network:
    """A model that was loaded. Any number of threads may use it.

    Attributes
    ----------
    query_prompt, document_prompt
        What leads a question, and a passage; may be empty.
    full_dimension
        Length of the vectors that it makes.
    dimension
        Length that its makers say they should be cut to, else the same.
    late
        Whether it takes the plain mean over its tokens.
    pooling
        How it makes one vector of tokens, in a few words.
    window
        Most tokens that it reads of one passage, special ones and the prompt not counted.
    tokenizer, cutting_tokenizer
        Its tokenizer, as it is, and one that cuts what goes beyond the window.
    """

    def __init__(self, model: SentenceTransformer, name: str) -> None:
        from tokenizers import Tokenizer

        _check(model, name)
        self._model = model
        self.query_prompt = _prompt(model, "query")
        self.document_prompt = _prompt(model, "document", "passage", "corpus")
        after = [type(module).__name__ for module in list(model)[1:]]
        mode: Any = model[1].pooling_mode
        modes = [mode] if isinstance(mode, str) else list(mode)
        layers = [one for one in after[1:] if one not in _WITHOUT_EFFECT]
        self.pooling = "+".join([*modes, *layers])
        self.late = self.pooling == "mean"
        shortened = model.get_embedding_dimension()
        with model.truncate_embeddings(None):
            self.full_dimension = int(cast("int", model.get_embedding_dimension()))
        self.dimension = int(shortened or self.full_dimension)
        # Tokenizers of our own: the one inside transformers changes its truncation and padding
        # at every call, which other threads would notice.
        as_text = model.tokenizer.backend_tokenizer.to_str()
        self.tokenizer: Tokenizer = Tokenizer.from_str(as_text)
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.cutting_tokenizer: Tokenizer = Tokenizer.from_str(as_text)
        self.cutting_tokenizer.no_padding()
        longest = _longest(model)
        self.cutting_tokenizer.enable_truncation(longest)
        prompt = self.tokenizer.encode(self.document_prompt, add_special_tokens=False)
        special = self.tokenizer.num_special_tokens_to_add(is_pair=False)
        self.window = longest - special - len(prompt.ids)
        if self.window < 1:
            raise ModelError(
                f"{name} reads {longest} tokens at once, and its prompt alone has "
                f"{len(prompt.ids)}; use another model"
            )

    @classmethod
    def load(cls, folder: Path) -> Network:
        """The model in a folder.

        Raises
        ------
        ModelError
            If it can't be loaded, or is of a kind that is not read.
        """
        with quiet_transformers():
            from sentence_transformers import SentenceTransformer

            try:
                model = SentenceTransformer(str(folder), local_files_only=True)
            except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
                reason = str(error).strip().partition("\n")[0]
                raise ModelError(
                    f"the model in {folder} can't be loaded: {reason}; name another one, or get "
                    "it again"
                ) from error
        return cls(model.eval(), folder.name)

    def forward(self, encodings: Sequence[Encoding], prompt: str) -> Forward:
        """Run the model over tokenised texts, each led by the prompt."""
        import torch

        with torch.inference_mode():
            features = self._model[0](self._features(encodings))
            tokens = features["token_embeddings"]
            texts = self._pooled(features, prompt)
            vectors = _as_numpy(tokens if self.late else self._tokens_alone(tokens))
        return Forward(
            tokens=[vectors[row, : len(one.ids)] for row, one in enumerate(encodings)],
            texts=_as_numpy(texts),
        )

    def _features(self, encodings: Sequence[Encoding]) -> dict[str, torch.Tensor]:
        import torch

        longest = max(len(encoding.ids) for encoding in encodings)
        tokenizer = self._model.tokenizer
        ids = torch.full((len(encodings), longest), tokenizer.pad_token_id or 0)
        mask = torch.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = torch.tensor(encoding.ids)
            mask[row, : len(encoding.ids)] = 1
        features = {"input_ids": ids, "attention_mask": mask}
        if "token_type_ids" in tokenizer.model_input_names:
            features["token_type_ids"] = torch.zeros_like(ids)
        return {name: values.to(self._model.device) for name, values in features.items()}

    def _pooled(self, features: dict[str, Any], prompt: str) -> torch.Tensor:
        """What the layers after the transformer make of the texts."""
        # Some models leave the prompt out of their pooling.
        encoding = self.tokenizer.encode(prompt)
        closing = encoding.special_tokens_mask[-1:]
        length = len(encoding.ids) - sum(closing) if prompt else 0
        return self._after_transformer(features | {"prompt_length": length})

    def _tokens_alone(self, tokens: torch.Tensor) -> torch.Tensor:
        """What the same layers make of each token alone; shape (texts, tokens, full dimension)."""
        import torch

        texts, count, width = tokens.shape
        each = tokens.reshape(texts * count, 1, width)
        mask = torch.ones(each.shape[:2], dtype=torch.int64, device=tokens.device)
        alone = {"token_embeddings": each, "attention_mask": mask}
        return self._after_transformer(alone).reshape(texts, count, -1)

    def _after_transformer(self, features: dict[str, Any]) -> torch.Tensor:
        for module in list(self._model)[1:]:
            features = module(features)
        return cast("torch.Tensor", features["sentence_embedding"])


def _check(model: SentenceTransformer, name: str) -> None:
    """Refuse a model of a kind that is not read, in words."""
    kinds = [type(module).__name__ for module in model]
    strange = [kind for kind in kinds[1:] if kind not in _KNOWN]
    if kinds[0] != "Transformer" or kinds[1:2] != ["Pooling"] or strange:
        raise ModelError(
            f"{name} is made of {', '.join(kinds)}; rag reads models made of a Transformer, a "
            "Pooling, and Dense, LayerNorm or Normalize layers"
        )
    modalities: Any = model[0].modality_config
    if "text" not in modalities or "message" in modalities:
        raise ModelError(f"{name} takes no plain text; use a model for text")
    if not getattr(model.tokenizer, "is_fast", False):
        raise ModelError(
            f"the tokenizer of {name} does not say where its tokens stand; use a model with a "
            "tokenizer.json"
        )


def _prompt(model: SentenceTransformer, *names: str) -> str:
    """The first of these prompts that says anything.

    encode_document stops at an empty "document", which sentence-transformers puts there itself,
    and so would miss the "passage" of models that have only that.
    """
    prompts: dict[str, str | None] = model.prompts
    return next((found for name in names if (found := prompts.get(name))), "")


def _longest(model: SentenceTransformer) -> int:
    """Most tokens of one text, special ones counted."""
    # Where nothing is said, transformers says 10 to the power of 30.
    said = model.max_seq_length or UNKNOWN_WINDOW
    return UNKNOWN_WINDOW if said > 10**9 else min(int(said), LONGEST_WINDOW)


def _as_numpy(values: torch.Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    return cast("Vectors", values.float().cpu().numpy())
