"""Models of a few thousand random weights, saved by sentence-transformers itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from three_articles import BREAD, TANKS, WHALES
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

WIDTH = 32
LONGEST = 48
"""Tokens, special ones counted."""

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def tiny_model(
    folder: Path,
    pooling: str | Sequence[str] = "mean",
    *,
    dense: int | None = None,
    normalize: bool = True,
    prompts: Mapping[str, str] | None = None,
    include_prompt: bool = True,
    truncate: int | None = None,
    blanks_in_words: bool = False,
    language: str | None = None,
    seed: int = 0,
) -> Path:
    """Save a model into a new folder.

    ``dense`` puts a layer with that many outputs on top, ``truncate`` is the dimension that the
    model says it should be cut to, ``blanks_in_words`` makes its tokens as SentencePiece does,
    and ``language`` is what its card says.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    tokenizer = with_blanks() if blanks_in_words else word_pieces()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=LONGEST,
    )
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=LONGEST,
    )
    plain = folder / "plain"
    BertModel(config).save_pretrained(plain)
    fast.save_pretrained(plain)
    modules: list[torch.nn.Module] = [Transformer(str(plain))]
    mode = pooling if isinstance(pooling, str) else tuple(pooling)
    modules.append(Pooling(WIDTH, mode, include_prompt=include_prompt))
    if dense:
        modules.append(Dense(modules[1].pooling_output_dimension, dense))
    if normalize:
        modules.append(Normalize())
    model = SentenceTransformer(
        modules=modules, prompts=dict(prompts or {}), truncate_dim=truncate, device="cpu"
    )
    model.save(str(folder / "model"), create_model_card=False)
    if language:
        (folder / "model" / "README.md").write_text(f"---\nlanguage: {language}\n---\n# Tiny\n")
    return folder / "model"


def word_pieces() -> Tokenizer:
    """A tokenizer like BERT's."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=SPECIAL, show_progress=False)
    return trained(tokenizer, trainer)


def with_blanks() -> Tokenizer:
    """A tokenizer like XLM-RoBERTa's, whose tokens begin with the blank before a word."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=SPECIAL, unk_token="[UNK]", show_progress=False
    )
    return trained(tokenizer, trainer)


def trained(tokenizer: Tokenizer, trainer: trainers.Trainer) -> Tokenizer:
    """The tokenizer with a vocabulary, and BERT's special tokens around a text."""
    tokenizer.train_from_iterator([TANKS, BREAD, WHALES, "query: passage: ?!."], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return tokenizer
