"""Vectors of any model equal those of plain sentence-transformers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tiny_models import WIDTH, tiny_model

from rag.models.embedder import SentenceTransformerEmbedder
from rag.models.named_models import from_record
from rag.models.sentence_transformer import Network
from rag.text.chunking import passages
from rag.types import Document, Passage, Span

if TYPE_CHECKING:  # importing it takes seconds, in every worker that collects this
    from sentence_transformers import SentenceTransformer

WITHIN = 1e-5
QUESTION = "Which company supplies the gun turret?"
TEXT = (
    "The turret of the tank comes from Ghent. It was tested twice. Bread of sourdough rises "
    "slowly.\n\nBlue whales sing at twenty hertz, too low for us to hear. Nobody knows why."
)


@dataclass(frozen=True)
class Case:
    """A model, by the arguments of ``tiny_model``, and how it must be read."""

    late: bool
    pooling: str
    dimension: int = WIDTH
    asked: int | None = None
    made: Mapping[str, object] = field(default_factory=dict)
    plain: bool = False


CASES = {
    "mean": Case(late=True, pooling="mean", plain=True),
    "not normalised": Case(late=True, pooling="mean", made={"normalize": False}, plain=True),
    "prompts": Case(
        late=True,
        pooling="mean",
        made={"prompts": {"query": "query: ", "passage": "passage: "}, "blanks_in_words": True},
        plain=True,
    ),
    "prompts left out of the mean": Case(
        late=True,
        pooling="mean",
        made={"prompts": {"query": "query: ", "document": ""}, "include_prompt": False},
    ),
    "cut when asked": Case(late=True, pooling="mean", dimension=12, asked=12, plain=True),
    "cut by its makers": Case(
        late=True, pooling="mean", dimension=16, made={"truncate": 16}, plain=True
    ),
    "more than its makers say": Case(
        late=True, pooling="mean", dimension=24, asked=24, made={"truncate": 16}, plain=True
    ),
    "cls": Case(late=False, pooling="cls", made={"pooling": "cls"}),
    "last token": Case(
        late=False,
        pooling="lasttoken",
        made={"pooling": "lasttoken", "prompts": {"query": "query: ", "document": "passage: "}},
    ),
    "mean and max": Case(
        late=False, pooling="mean+max", dimension=2 * WIDTH, made={"pooling": ("mean", "max")}
    ),
    "dense": Case(late=False, pooling="mean+Dense", dimension=16, made={"dense": 16}),
    "dense, cut": Case(
        late=False, pooling="cls+Dense", dimension=8, asked=8, made={"dense": 16, "pooling": "cls"}
    ),
}

pytestmark = pytest.mark.usefixtures("in_float32")


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """Each case, by its name."""
    return CASES[request.param]


@pytest.fixture(scope="module")
def folder(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model."""
    return tiny_model(tmp_path_factory.mktemp("model"), **case.made)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def plain(folder: Path) -> SentenceTransformer:
    """The model, used the way everyone uses it."""
    return loaded(folder)


def loaded(folder: Path) -> SentenceTransformer:
    """The model that ``folder`` holds."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


@pytest.fixture(scope="module")
def ours(folder: Path, case: Case) -> SentenceTransformerEmbedder:
    """The same model as rag uses it."""
    return SentenceTransformerEmbedder.named(str(folder), case.asked)


def document() -> Document:
    """Six sentences in two paragraphs."""
    return Document(id="d", source="d.txt", title="d", text=TEXT, digest="0")


def test_described(ours: SentenceTransformerEmbedder, case: Case) -> None:
    """How the model is read follows from its layers."""
    assert (ours.late, ours.dimension) == (case.late, case.dimension)
    assert f"-{case.pooling} " in ours.fingerprint
    described = from_record(ours.record)
    assert described.plain == case.plain


def test_question(
    ours: SentenceTransformerEmbedder, plain: SentenceTransformer, case: Case
) -> None:
    """A question's vector is that of encode_query, with the model's prompt."""
    found = ours.query(QUESTION)
    expected = plain.encode_query(
        QUESTION, normalize_embeddings=True, truncate_dim=case.asked or plain.truncate_dim
    )
    np.testing.assert_allclose(found.vector, expected, atol=WITHIN)
    one, other = ours.queries([QUESTION, QUESTION])
    np.testing.assert_allclose(one.vector, expected, atol=WITHIN)
    np.testing.assert_allclose(other.tokens, found.tokens, atol=WITHIN)
    prompt = plain.prompts["query"] or ""
    tokens = plain.tokenizer(prompt + QUESTION, return_offsets_mapping=True)
    ends = [end for _, end in tokens["offset_mapping"]]
    pieces = zip(tokens["input_ids"], ends, strict=True)
    assert found.pieces.tolist() == [piece for piece, end in pieces if end > len(prompt)]
    assert found.tokens.shape == (len(found.pieces), case.dimension)


def test_sentences(
    ours: SentenceTransformerEmbedder, plain: SentenceTransformer, case: Case
) -> None:
    """Each sentence has the vector of its tokens in the passage, or the one that it has alone."""
    prompt = plain.prompts.get("passage", plain.prompts.get("document") or "")
    broken = passages(document(), ours, target=30)
    assert len(broken) > 1
    for passage, encoding in zip(broken, ours.passages(broken), strict=True):
        vectors, pieces = (late if case.late else alone)(plain, passage, prompt, case.dimension)
        np.testing.assert_allclose(encoding.sentences, vectors, atol=WITHIN)
        assert encoding.sentences.dtype == np.float32
        assert encoding.counts.tolist() == list(map(len, pieces))
        assert encoding.pieces.tolist() == [piece for some in pieces for piece in some]
        assert encoding.bits.shape == (sum(map(len, pieces)), -(-case.dimension // 8))


def late(
    plain: SentenceTransformer, passage: Passage, prompt: str, dimension: int
) -> tuple[np.ndarray, list[list[int]]]:
    """Vectors and tokens of sentences by the definition of late pooling."""
    text = prompt + passage.text
    tokens = plain.encode(text, output_value="token_embeddings").numpy()
    found = plain.tokenizer(text, return_offsets_mapping=True)
    rows, pieces = [], []
    for span in passage.sentences:
        inside = span.shifted(len(prompt) - passage.start)
        # By the end of a token: some begin with the blank before their word.
        mine = [n for n, (_, end) in enumerate(found["offset_mapping"]) if inside.start < end]
        mine = [n for n in mine if found["offset_mapping"][n][1] <= inside.end]
        mean = tokens[mine].mean(axis=0)[:dimension]
        rows.append(mean / np.linalg.norm(mean))
        pieces.append([found["input_ids"][n] for n in mine])
    return np.array(rows), pieces


def alone(
    plain: SentenceTransformer, passage: Passage, _prompt: str, dimension: int
) -> tuple[np.ndarray, list[list[int]]]:
    """Vectors and tokens of sentences as if each were a document."""
    texts = [span.of(TEXT) for span in passage.sentences]
    vectors = plain.encode_document(texts, normalize_embeddings=True, truncate_dim=dimension)
    return vectors, [plain.tokenizer.encode(text, add_special_tokens=False) for text in texts]


@pytest.mark.parametrize(
    "case", [name for name in CASES if name not in {"prompts", "last token"}], indirect=True
)
def test_token_bits(
    ours: SentenceTransformerEmbedder, plain: SentenceTransformer, case: Case
) -> None:
    """A bit a dimension of each token's vector: the model's own, or what its layers make of it."""
    text = "The turret of the tank comes from Ghent."
    (encoding,) = ours.passages([Passage("p", "d", 0, len(text), text, (Span(0, len(text)),))])
    tokens = plain.encode(text, output_value="token_embeddings")[1:-1]
    if not case.late:
        alone = tokens.new_ones(len(tokens), 1)
        one = {"token_embeddings": tokens[:, None], "attention_mask": alone}
        for module in list(plain)[1:]:
            one = module(one)
        tokens = one["sentence_embedding"]
    expected = tokens.detach().numpy()[:, : case.dimension]
    signs = np.unpackbits(encoding.bits, axis=1, count=case.dimension).astype(bool)
    clear = np.abs(expected) > WITHIN
    assert np.array_equal(signs[clear], (expected > 0)[clear])


def test_long_question_is_cut(
    ours: SentenceTransformerEmbedder, plain: SentenceTransformer, case: Case
) -> None:
    """Beyond the window a question is cut, as encode_query does."""
    expected = plain.encode_query(QUESTION * 20, normalize_embeddings=True, truncate_dim=case.asked)
    np.testing.assert_allclose(ours.query(QUESTION * 20).vector, expected, atol=WITHIN)


def test_sentence_without_tokens(ours: SentenceTransformerEmbedder) -> None:
    """A sentence of which the tokenizer leaves nothing has a vector nonetheless."""
    text = "A tank. \u200b"
    passage = Passage("p", "d", 0, len(text), text, (Span(0, 7), Span(8, 9)))
    (encoding,) = ours.passages([passage])
    np.testing.assert_allclose(np.linalg.norm(encoding.sentences, axis=1), 1.0, atol=WITHIN)
    assert encoding.counts.sum() == len(encoding.pieces) == len(encoding.bits)


def test_as_on_a_gpu(folder: Path, ours: SentenceTransformerEmbedder, case: Case) -> None:
    """The way of a GPU, run on the CPU: large batches in half precision give about the same."""
    texts = [span.of(TEXT) for span in (Span(0, 40), Span(41, 61), Span(62, 95))]
    network = Network(loaded(folder).eval(), folder.name, kind="cuda")
    prompt = network.tokenization.document_prompt
    encodings = network.tokenization.encode([prompt + text for text in texts])
    half = network.forward_all(encodings, prompt)
    whole = ours._network().forward_all(encodings, prompt)
    for mine, other in zip(half.tokens, whole.tokens, strict=True):
        assert mine.dtype == np.float32
        np.testing.assert_allclose(mine, other, atol=0.02)
    np.testing.assert_allclose(half.texts, whole.texts, atol=0.02)
    assert half.texts.shape[1] >= case.dimension
