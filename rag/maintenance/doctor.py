"""Diagnostics for a bug report: versions, machine, model, library, settings; nothing private.

Names of people, machines and documents are left out, and of paths all but the last part and whether
they are below the home folder. Nothing is changed, and the model is not loaded.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from rag.documents.pdf import ocr
from rag.documents.read_options import RAPID
from rag.errors import LibraryDamaged, LibraryError, ModelError
from rag.index.folder import STORE, store_folder
from rag.index.sqlite.database import FORMAT, Database
from rag.library.opener import NAME, exists
from rag.models.named_models import MINILM, NamedModel, from_record
from rag.runtime.files import size_of

FLAGS = frozenset(
    {
        *("sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512vl", "avx512_vnni"),
        *("avx512_bf16", "avx512_fp16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16"),
        *("asimd", "asimddp", "fphp", "sve", "sve2", "i8mm", "bf16"),
    }
)
"""CPU features by which native libraries select their code."""

SETTINGS = re.compile(
    r"RAG_\w+|(OMP|MKL|OPENBLAS|TORCH|KMP|FAISS|HF|GRADIO|SENTENCE_TRANSFORMERS|TESSDATA)_\w+"
    r"|TOKENIZERS_PARALLELISM|PYTHON(PATH|HOME|UTF8|IOENCODING)|LANG|LC_\w+|TMPDIR"
)
_SECRET = re.compile(r"TOKEN|PASS|SECRET|KEY|AUTH", re.IGNORECASE)

ALSO = ("torch", "transformers", "tokenizers", "openvino", "scipy")
"""Dependencies of the packages above that are often involved in bugs."""

_OTHER_MODEL = "it is missing or has changed: rag ask says where it should be, and what to do"

_OUT_OF_REACH = "library.db can't be opened: check the disk's space, and who may read the folder"

MIB, GIB = 2**20, 2**30
LITTLE_DISK = GIB
"""Below this much free space, indexing may soon fail."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked item; ``trouble`` is what is wrong with it and what to do."""

    name: str
    value: str
    trouble: str = ""


def diagnose(library: Path) -> dict[str, tuple[Finding, ...]]:
    """Diagnose this installation and the library in a folder; findings by subject."""
    return {
        "versions": tuple(_versions()),
        "machine": tuple(_machine()),
        "model": tuple(_model(library)),
        "library": tuple(_library(library)),
        "programs": (_ocr(),),
        "settings": tuple(_settings(os.environ)),
    }


def shorten(path: str | Path) -> str:
    """Shorten a path for display: whether it is below the home folder, and its last part."""
    whole = Path(path).expanduser().absolute()
    home = Path.home()
    if whole == home:
        return "~"
    if whole.parent in {home, Path(whole.anchor)}:
        return f"{'~' if whole.parent == home else ''}/{whole.name}"
    return f"{'~' if home in whole.parents else ''}/…/{whole.name}"


def _versions() -> Iterator[Finding]:
    yield Finding("rag", version("rag"))
    yield Finding("Python", f"{platform.python_version()} ({platform.python_implementation()})")
    needed = [line for line in requires("rag") or () if "extra ==" not in line]
    for name in (re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in needed):
        try:
            yield Finding(name, version(name))
        except PackageNotFoundError:
            yield Finding(name, "missing", "install rag again: pip install -c constraints.txt .")
    for name in ALSO:
        with suppress(PackageNotFoundError):
            yield Finding(name, version(name))


def _machine() -> Iterator[Finding]:
    yield Finding("system", platform.platform())
    model, flags = _processor()
    yield Finding("processor", f"{platform.machine()} {model}".strip())
    yield Finding("instructions", " ".join(flags) or "not known")
    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    yield Finding("cores", f"{allowed} of {os.cpu_count()}")
    if sys.platform != "win32":
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        yield Finding("memory", f"{pages / GIB:.1f} GiB")
    yield Finding("encoding", f"{sys.getfilesystemencoding()}, output {sys.stdout.encoding}")


def _processor() -> tuple[str, list[str]]:
    """The CPU's name and its features among :data:`FLAGS`, as Linux reports them."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return platform.processor(), []
    name = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*: (.*)$", text, re.MULTILINE)
    return name[1] if name else "", sorted(FLAGS & set(flags[1].split())) if flags else []


def _model(folder: Path) -> Iterator[Finding]:
    """Whether the library's model, or the packaged one, is present and unmodified."""
    try:
        model = from_record(_note(folder, NAME))
    except (LibraryError, PermissionError):
        model = MINILM
    name = shorten(model.name) if Path(model.name).is_absolute() else model.name
    yield Finding("name", f"{name}, {model.dimension} dimensions")
    try:
        model.verified_folder()
    except ModelError as error:
        # The error for a custom model contains its path.
        yield Finding(
            "files", "wrong", _OTHER_MODEL if isinstance(model, NamedModel) else str(error)
        )
    else:
        yield Finding("files", f"unmodified (SHA-256 {model.sha256[:16]}…)")


def _library(folder: Path) -> Iterator[Finding]:
    yield Finding("folder", shorten(folder))
    try:
        is_there = exists(folder)
    except PermissionError:
        yield Finding("state", "out of reach", _OUT_OF_REACH)
        return
    if not is_there:
        yield Finding("state", "none here yet; create one: rag index PATH")
        yield from _disk(next(one for one in (folder, *folder.parents) if one.exists()))
        return
    try:
        made, generation, sentences = (
            _note(folder, name) or "none" for name in ("format", "generation", "sentences")
        )
    except LibraryDamaged:
        text = "library.db can't be read: restore it from a copy, or index into another folder"
        yield Finding("state", "damaged", text)
    except LibraryError:
        yield Finding("state", "out of reach", _OUT_OF_REACH)
    else:
        newer = made.isdecimal() and int(made) > FORMAT
        trouble = "made by a newer rag: update this one" if newer else ""
        yield Finding("format", f"{made} (this rag: {FORMAT})", trouble)
        yield Finding("generation", generation)
        yield Finding("sentences", sentences)
    yield Finding("size", f"{size_of(folder) / MIB:,.1f} MiB")
    yield from _disk(folder)
    yield from _permissions(folder)


def _note(folder: Path, name: str) -> str | None:
    """Read a value from the library's metadata; None if there is no library."""
    if not exists(folder):
        return None
    with closing(Database(store_folder(folder) / STORE, MINILM.dimension)) as database:
        return database.note(name)


def _disk(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    trouble = "make room: indexing needs about 40 KB per passage" if free < LITTLE_DISK else ""
    yield Finding("free disk", f"{free / GIB:.1f} GiB", trouble)


def _permissions(folder: Path) -> Iterator[Finding]:
    found = folder.stat()
    mode = stat.filemode(found.st_mode)
    mine = "this user's" if found.st_uid == getattr(os, "geteuid", lambda: 0)() else "another's"
    may_write = os.access(folder, os.W_OK | os.X_OK)
    trouble = "" if may_write else "this user may not write here: nothing can be indexed"
    yield Finding("permissions", f"{mode}, {mine}", trouble)


def _ocr() -> Finding:
    languages = ocr.default_languages()
    if languages is None:
        return Finding("OCR", "none installed; pip install 'rag[ocr]' or tesseract")
    return Finding("OCR", "RapidOCR" if languages == RAPID else f"tesseract, {languages}")


def _settings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Environment variables that affect rag or its dependencies."""
    for name, value in sorted(environment.items()):
        if not SETTINGS.fullmatch(name):
            continue
        if _SECRET.search(name) or "://" in value:  # may contain a host name or a password
            yield Finding(name, "set, not shown")
        else:
            yield Finding(name, shorten(value) if os.sep in value else value)
