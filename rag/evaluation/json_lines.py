"""JSON Lines, gzipped or not, with errors that name the line."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias
from zlib import error as ZlibError  # noqa: N812 (zlib names its exception like a function)

from rag.errors import InputError
from rag.runtime.files import open_file

Record: TypeAlias = dict[str, Any]


def records(path: Path) -> Iterator[tuple[str, Record]]:
    """Iterate over the objects in a file, each with its location (``queries.jsonl, line 3``) for
    errors.

    Files ending in ``.gz`` are decompressed. Empty lines are skipped.

    Raises
    ------
    InputError
        If the file is damaged or not UTF-8, or a line is not a JSON object.
    """
    try:
        with ExitStack() as stack:
            file: BinaryIO | gzip.GzipFile = stack.enter_context(open_file(path))
            if path.suffix == ".gz":
                file = stack.enter_context(gzip.GzipFile(fileobj=file))
            # Only line feeds separate lines: strings may contain other line separators.
            lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="\n")
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{path.name}, line {number}", _record(path, number, line)
    except (UnicodeDecodeError, EOFError, ZlibError, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is damaged ({error}); fetch it again") from error


def _record(path: Path, number: int, line: str) -> Record:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}, line {number} is no valid JSON: {error}; mend it") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}, line {number} is no JSON object {{…}}; mend it")
    return value
