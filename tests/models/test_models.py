"""Libraries with a model of the user's choice: named once, remembered, refused in words."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from commands import rag
from hashing_embedder import HashingEmbedder
from test_cli import is_one_clear_line
from tiny_models import WIDTH, tiny_model

from rag import Library
from rag.errors import InputError, LibraryDamaged, LibraryMismatch, ModelError
from rag.models.embedder import SentenceTransformerEmbedder
from rag.models.named_models import MINILM, digest, languages
from rag.text.language import untrained

QUESTION = "Where is the turret of the tank from?"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that reads sentences one by one, of English and German, it says."""
    return tiny_model(tmp_path_factory.mktemp("cls"), "cls", language="[en, de]")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a mean, which says nothing of languages."""
    return tiny_model(tmp_path_factory.mktemp("mean"), seed=1)


def test_named_once(tmp_path: Path, articles: Path, model: Path) -> None:
    """A library opens with the model it was made with, and finds what that model found."""
    with Library.open(tmp_path / "library", model=model, dimensions=24) as library:
        library.index(articles)
        before = library.search(QUESTION)
        assert len(before) == 3
    with Library.open(tmp_path / "library", create=False) as library:
        assert library.search(QUESTION) == before
        status = library.status()
        assert (status.model, status.dimension, status.late) == (str(model), 24, False)
        assert library.index(articles).embedded == 0


def test_named_again(tmp_path: Path, model: Path, other: Path) -> None:
    """The same model may be named again; another one, or other dimensions, are refused."""
    folder = tmp_path / "library"
    Library.open(folder, model=model).close()
    Library.open(folder, model=str(model)).close()
    Library.open(folder, model=model, dimensions=WIDTH).close()
    for arguments in ({"model": other}, {"dimensions": 8}, {"model": MINILM.name}):
        with pytest.raises(LibraryMismatch, match=r"made with the model .model .* 32 .*--library"):
            Library.open(folder, **arguments)  # type: ignore[arg-type]


def test_packaged_model_by_name(tmp_path: Path) -> None:
    """Its name is as good as no name; fewer of its dimensions are another model."""
    Library.open(tmp_path / "library", model="sentence-transformers/all-MiniLM-L6-v2").close()
    Library.open(tmp_path / "library").close()
    Library.open(tmp_path / "library", dimensions=384).close()
    with pytest.raises(LibraryMismatch, match="all-MiniLM-L6-v2"):
        Library.open(tmp_path / "library", dimensions=64)


def test_model_that_moved(tmp_path: Path, articles: Path, other: Path) -> None:
    """Without its model a library says so when it needs it; named where it is now, it is fine."""
    folder, first = tmp_path / "library", tmp_path / "first" / "tiny"
    second = tmp_path / "second" / "tiny"
    shutil.copytree(other, first)
    with Library.open(folder, model=first) as library:
        library.index(articles)
    second.parent.mkdir()
    first.rename(second)
    with Library.open(folder) as library:
        assert library.status().model == str(first)
        with pytest.raises(ModelError, match=r"there is no folder .*first/tiny.*; name"):
            library.search(QUESTION)
    Library.open(folder, model=second).close()
    with Library.open(folder) as library:
        assert len(library.search(QUESTION)) == 3


def test_model_that_changed(tmp_path: Path, articles: Path, other: Path) -> None:
    """Other weights, or another prompt, under the same name never answer anything."""
    copy = tmp_path / "tiny"
    shutil.copytree(other, copy)
    with Library.open(tmp_path / "library", model=copy) as library:
        library.index(articles)
    settings = copy / "config_sentence_transformers.json"
    said = json.loads(settings.read_text())
    settings.write_text(json.dumps(said | {"prompts": {"query": "q: ", "document": ""}}))
    with (
        Library.open(tmp_path / "library") as library,
        pytest.raises(ModelError, match=r"changed since the library was made .*--library"),
    ):
        library.search(QUESTION)
    with pytest.raises(LibraryMismatch):
        Library.open(tmp_path / "library", model=copy)


def test_digest_covers_what_is_read(tmp_path: Path, other: Path) -> None:
    """Weights, layers and vocabulary count; the card, and weights for other programs, don't."""
    copy = tmp_path / "tiny"
    shutil.copytree(other, copy)
    whole = digest(copy)
    (copy / "README.md").write_text("A card")
    (copy / "onnx").mkdir()
    (copy / "onnx" / "config.json").write_text("{}")
    (copy / "pytorch_model.bin").write_bytes(b"the same weights, in the old format")
    assert digest(copy) == whole == digest(other)
    for name in ("model.safetensors", "1_Pooling/config.json", "tokenizer.json"):
        before = (copy / name).read_bytes()
        (copy / name).write_bytes(before + b" ")
        assert digest(copy) != whole, name
        (copy / name).write_bytes(before)
    assert digest(copy) == whole


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nobody/nothing", "not on this machine, and rag downloads nothing.*hf download nobody/"),
        ("nothing", "hf download sentence-transformers/nothing"),
        ("./models/none", "there is no folder ./models/none"),
    ],
)
def test_model_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    """The error says how to get it, and no library is left behind."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=words):
        Library.open(tmp_path / "library", model=name)
    assert list(tmp_path.iterdir()) == []


def test_model_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, articles: Path, other: Path
) -> None:
    """A name is looked up where Hugging Face's programs put what they download."""
    repository = tmp_path / "hub" / "models--someone--tiny"
    shutil.copytree(other, repository / "snapshots" / ("a" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", str(tmp_path / "hub"))
    with Library.open(tmp_path / "library", model="someone/tiny") as library:
        library.index(articles)
    with Library.open(tmp_path / "library") as library:
        assert library.status().model == "someone/tiny"
        assert len(library.search(QUESTION)) == 3


def test_folders_that_are_no_models(tmp_path: Path, other: Path) -> None:
    """Each is said in words."""
    with pytest.raises(ModelError, match=r"no modules\.json"):
        SentenceTransformerEmbedder.named(str(tmp_path))
    broken = tmp_path / "broken"
    shutil.copytree(other, broken)
    (broken / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"can't be loaded: .*; name another one"):
        SentenceTransformerEmbedder.named(str(broken))
    bags = tmp_path / "bags"
    shutil.copytree(other, bags)
    listed = json.loads((bags / "modules.json").read_text())
    (bags / "modules.json").write_text(json.dumps(listed[:1]))
    with pytest.raises(
        ModelError, match="bags is made of Transformer; rag supports models made of"
    ):
        SentenceTransformerEmbedder.named(str(bags))


@pytest.mark.parametrize("dimensions", [0, 33])
def test_dimensions_that_are_not_there(tmp_path: Path, other: Path, dimensions: int) -> None:
    """A vector can't be cut to more than it has."""
    with pytest.raises(InputError, match="must be between 1 and 32"):
        Library.open(tmp_path / "library", model=other, dimensions=dimensions)


def test_prompt_that_fills_the_window(tmp_path: Path) -> None:
    """Nothing of a passage would be read."""
    made = tiny_model(tmp_path, prompts={"query": "", "document": "bread " * 60})
    with pytest.raises(
        ModelError, match=r"reads 48 tokens at once, but its prompt and special tokens take \d+"
    ):
        SentenceTransformerEmbedder.named(str(made))


def test_library_that_forgot(tmp_path: Path, other: Path) -> None:
    """What can't be read of the model is damage, said in words."""
    Library.open(tmp_path / "library", model=other).close()
    with sqlite3.connect(tmp_path / "library" / "library.db") as connection:
        connection.execute("UPDATE meta SET value = '{}' WHERE name = 'model'")
    with pytest.raises(LibraryDamaged, match="does not say which model"):
        Library.open(tmp_path / "library")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("language: en", {"en"}),
        ("language: [en, de-AT, zh]", {"en", "de", "zh"}),
        ("language:\n- no\n- sv", {"no", "sv"}),
        ("language: multilingual", set()),
        ("language: [en, multilingual]", set()),
        ("license: mit", set()),
        ("language: [", set()),
    ],
)
def test_languages_of_the_card(tmp_path: Path, said: str, expected: set[str]) -> None:
    """As it names them; where it doesn't, or says "multilingual", they are not known."""
    assert languages(tmp_path) == frozenset()
    (tmp_path / "README.md").write_text(f"---\n{said}\n---\n# A model\n")
    assert languages(tmp_path) == expected


def test_untrained_languages() -> None:
    """From one document in twenty on, the most frequent first; unknown ones don't count."""
    english = frozenset({"en"})
    assert untrained({"en": 18, "de": 1, "": 1}, english) == {"de": 1}
    assert untrained({"en": 19, "de": 1, "": 1}, english) == {}
    assert untrained({"en": 1, "fr": 1, "de": 2}, english) == {"de": 2, "fr": 1}
    assert untrained({"en": 1, "fr": 1, "de": 2}, frozenset()) == {}
    assert untrained({"": 5}, english) == untrained({}, english) == {}


GERMAN = (
    "Der Sauerteig ruht über Nacht im kühlen Keller. Am Morgen wird das Brot im alten Ofen der"
    " Bäckerei gebacken, und die ganze Straße riecht danach."
)


def test_status_and_report_say_it(tmp_path: Path, articles: Path, model: Path) -> None:
    """The command names the model, how it reads, and languages it was not trained on."""
    (articles / "brot.txt").write_text(GERMAN)
    run = rag("index", articles, "--model", MINILM.name, folder=tmp_path)
    warning = "1 document of 4 in languages that the model was not trained on: de 1."
    assert run.returncode == 0, run.stdout + run.stderr
    assert warning in run.stdout
    status = rag("status", folder=tmp_path)
    assert "all-MiniLM-L6-v2, 384 dimensions" in status.stdout
    assert "sentences in their passage" in status.stdout
    assert warning in status.stdout
    again = tmp_path / "again"
    run = rag("index", articles, "--model", model, "--dimensions", "16", folder=again.parent,
              library=again)  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert "not trained on" not in run.stdout
    status = rag("status", folder=tmp_path, library=again)
    assert f"{model}, 16 dimensions" in status.stdout
    assert "sentences one by one" in status.stdout
    # All six passages: what comes first is chance, as the model's weights are.
    asked = rag("ask", QUESTION, "-k", "6", "--json", folder=tmp_path, library=again)
    assert "Ghent" in asked.stdout, asked.stderr
    is_one_clear_line(
        rag("index", articles, "--model", "no/model", folder=tmp_path, library=tmp_path / "c"),
        "no/model",
        "hf download",
    )


def test_other_embedders_are_not_remembered(tmp_path: Path) -> None:
    """What was passed in by code must be passed in again."""
    Library.open(tmp_path / "library", embedder=HashingEmbedder()).close()
    Library.open(tmp_path / "library", embedder=HashingEmbedder()).close()
    with pytest.raises(LibraryMismatch, match="hashing 1"):
        Library.open(tmp_path / "library")
