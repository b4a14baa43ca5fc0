"""The folder of a model: where it lies, whether it is still the same, what its card says."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from rag.errors import ModelError
from rag.runtime.files import SPECIAL, special_in
from rag.runtime.files import digest as file_digest
from rag.text.language import code

ORGANIZATION = "sentence-transformers"
"""Whose models may be named without it."""

_READ = frozenset({".json", ".txt", ".model", ".safetensors", ".bin", ".jinja"})
"""What a model is read from; its folder may hold the same weights for other programs, too."""

_FOR_OTHERS = frozenset({"onnx", "openvino"})


def find(name: str) -> Path:
    """The folder of a model on this machine.

    Parameters
    ----------
    name
        A folder, or the name of a model as on the Hugging Face hub. The hub is not asked.

    Raises
    ------
    ModelError
        If there is none, or the folder holds no sentence-transformers model.
    """
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
    """The SHA-256, in hexadecimal, of all that a model is read from: weights, vocabulary, layers,
    prompts.

    Raises
    ------
    ModelError
        If a file can't be read.
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
    """The languages that a model was trained on, as its card says; none where it doesn't say.

    The card is the ``README.md``, with ``language`` in its front matter: one code or several, or
    ``multilingual``, which says nothing of which.
    """
    import frontmatter

    try:
        card: dict[str, Any] = frontmatter.load(str(folder / "README.md")).metadata
    except (OSError, ValueError):
        return frozenset()
    except Exception as error:
        # The YAML parser's errors have no base that is ours to import; a card that can't be
        # read says nothing.
        if type(error).__module__.partition(".")[0] != "yaml":
            raise
        return frozenset()
    said = card.get("language") or []
    listed = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    # YAML takes the code of Norwegian for "no".
    named = ["no" if one is False else str(one) for one in listed]
    codes = [code(one) for one in named]
    return frozenset() if None in codes or not codes else frozenset(map(str, codes))


def _cached(name: str) -> Path:
    """The folder of a model in the cache that sentence-transformers uses."""
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
