"""Responses to refused requests: problem details for the API, a line of text elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from ui.api import problems
from ui.ops import root_path

if TYPE_CHECKING:
    from starlette.types import Scope

    from ui.api.problems import Kind

_NONE: Mapping[str, str] = MappingProxyType({})


def refusal(scope: Scope, kind: Kind, line: str, headers: Mapping[str, str] = _NONE) -> Response:
    """Refuse a request with a line that says what to do."""
    if root_path.within(scope).startswith(f"{problems.PREFIX}/"):
        answer = problems.response(scope, kind, line)
    else:
        answer = JSONResponse({"detail": line}, kind.status)
    answer.headers.update(headers)
    return answer
