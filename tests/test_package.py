"""What the package promises from outside: its names, its start, its silence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import rag

ROOT = Path(__file__).parent.parent


def python(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a fresh process."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )


PUBLIC = """
Answer Bin Calibration Citation Collection Dates DiskFull Document DocumentCount DocumentNotFound
DocumentSummary EmptyQuestion Explanation Facets Failure FileReport Filter Findability Followed
Found Heading Hit IndexReport InputError Library LibraryBusy LibraryDamaged LibraryError
LibraryMismatch LibraryNotFound LoadError LostDocument MAX_FILTER_LENGTH MAX_QUESTION_LENGTH Match
ModelError Neighbour Passage PasswordRequired Problem Progress QueryOutcome Quote RagError Rating
Reliability Respelling SecretFile SelfTest SourceNotFound SourcePath Span Status UnknownFormat
Verification Version cited file_name max_document_of retrieve
"""


def test_public_names() -> None:
    """The public names, all of them and no others; a change here is a change for users."""
    assert sorted(rag.__all__) == PUBLIC.split()
    assert all(hasattr(rag, name) for name in rag.__all__)


def test_every_error_is_a_rag_error() -> None:
    """One except clause catches everything that is raised on purpose."""
    errors = [
        value
        for name in rag.__all__
        if isinstance(value := getattr(rag, name), type) and issubclass(value, Exception)
    ]
    assert len(errors) == 16
    assert all(issubclass(error, rag.RagError) for error in errors)


HEAVY = (
    *("torch", "transformers", "sentence_transformers", "openvino", "scipy", "sklearn", "pandas"),
    *("gradio", "fastapi", "trafilatura", "lxml", "openpyxl", "docutils", "pypdfium2"),
    *(
        "rag.documents.registry",
        "rag.evaluation",
        "rag.ingest.run",
        "rag.cluster.lance",
        "lance",
        "pyarrow",
    ),
)
"""What takes long to import, and no question needs."""


def test_import_is_light() -> None:
    """``import rag`` brings none of the heavy packages, nor the engines of the indexes."""
    run = python(
        "import sys, rag, rag.cli.main; print(sorted({'faiss', 'tantivy', *sys.argv[1:]}"
        " & set(sys.modules)))",
        *HEAVY,
    )
    assert run.stdout == "[]\n", run.stderr


def test_ask_is_light(seeds: rag.Library) -> None:
    """Nor does a question: its model runs on NumPy."""
    run = python(
        "import sys\n"
        "from rag.cli.main import main\n"
        "heavy = set(sys.argv[2:])\n"
        "try:\n"
        "    main(['ask', 'Who led the mission?', '-k', '1', '--library', sys.argv[1]])\n"
        "except SystemExit:\n"
        "    pass\n"
        "print(sorted(heavy & set(sys.modules)))",
        seeds.path,
        *HEAVY,
    )
    assert "Princess Astrid" in run.stdout
    assert run.stdout.endswith("\n[]\n"), run.stderr


def test_reading_is_light() -> None:
    """A process that reads files starts without NumPy; what a format needs comes with its file."""
    run = python(
        "import sys, rag.documents.sandbox.worker; print(sorted({'numpy', *sys.argv[1:]} "
        "& set(sys.modules)))",
        *(name for name in HEAVY if name != "rag.documents.registry"),
    )
    assert run.stdout == "[]\n", run.stderr


def test_embedding_is_light() -> None:
    """Passages of the packaged model need OpenVINO, and no PyTorch."""
    run = python(
        "import sys\n"
        "from rag import Passage, Span\n"
        "from rag.models.embedder import SentenceTransformerEmbedder\n"
        "passage = Passage('p', 'd', 0, 7, 'A tank.', (Span(0, 7),))\n"
        "(found,) = SentenceTransformerEmbedder().passages([passage])\n"
        "print(found.sentences.shape, sorted(set(sys.argv[1:]) & set(sys.modules)))",
        *HEAVY,
    )
    assert run.stdout == "(1, 384) ['openvino']\n", run.stderr


@pytest.mark.parametrize("order", ["faiss, torch", "torch, faiss"])
def test_faiss_and_torch_live_together(order: str) -> None:
    """Each brings an OpenMP of its own; whichever comes first, both work."""
    run = python(
        f"import numpy as np, {order};"
        "index = faiss.IndexFlatIP(384); rows = np.random.rand(5000, 384).astype('float32');"
        "index.add(rows); print(index.search(rows[:64], 5)[1].shape, torch.ones(500, 500)"
        ".matmul(torch.ones(500, 500)).sum().item())"
    )
    assert run.stdout == "(64, 5) 125000000.0\n", run.stderr


def test_no_connection_is_made(tmp_path: Path) -> None:
    """Index and search in a process in which every connection is an error.

    OpenVINO by itself would report that it is used.
    """
    run = python(
        "import sys\n"
        "def watch(event, args):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.sendto'):\n"
        "        raise SystemExit(f'{event} {args}')\n"
        "sys.addaudithook(watch)\n"
        "from rag import Library\n"
        "library = Library.open(sys.argv[1])\n"
        "library.index(sys.argv[2])\n"
        "print(library.search('Who led the mission?')[0].rank)",
        tmp_path / "library",
        ROOT / "seeds",
    )
    assert (run.stdout, run.stderr) == ("1\n", "")


def test_retrieve_asks_the_default_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeds: rag.Library
) -> None:
    """``$RAG_LIBRARY`` names it; one that was made anew is opened anew."""
    monkeypatch.setenv("RAG_LIBRARY", str(seeds.path))
    (hit,) = rag.retrieve("Who led the Belgian Economic Mission to India?", k=1)
    assert "Princess Astrid" in hit.answer.text
    monkeypatch.delenv("RAG_LIBRARY")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(rag.LibraryNotFound, match="rag index PATH"):
        rag.retrieve("Who?")


def test_seed_is_the_users_own() -> None:
    """The article is as the user wrote it."""
    (seed,) = (ROOT / "seeds").iterdir()
    assert seed.name == "000_b4b8cba14608a5c3.txt"
    content = seed.read_bytes()
    assert (len(content), content[:16]) == (2388, b" date 2025-03-05")
