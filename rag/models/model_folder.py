"""A model's folder: finding it, its digest, and its model card."""

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
"""The organization whose models may be named without it."""

_READ = frozenset({".json", ".txt", ".model", ".safetensors", ".bin", ".jinja"})
"""File types a model is loaded from; its folder may hold the same weights in other formats."""

_FOR_OTHERS = frozenset({"onnx", "openvino"})


def find(name: str) -> Path:
    """Find a model's folder on this machine.

    Parameters
    ----------
    name
        A folder, or a model's name on the Hugging Face hub. The hub is not contacted.

    Raises
    ------
    ModelError
        If there is none, or it is not a sentence-transformers model.
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
    """SHA-256, in hexadecimal, of all files a model is loaded from: weights, vocabulary, layers,
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
