"""What is answered to a request that never reaches the application: a problem where the API was
asked, a line elsewhere.
"""

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
    """The answer that says what is wrong, in a line that says what to do."""
    # Each library of several has an API of its own, below its own address.
    if f"{problems.PREFIX}/" in root_path.within(scope):
        answer = problems.response(scope, kind, line)
    else:
        answer = JSONResponse({"detail": line}, kind.status)
    answer.headers.update(headers)
    return answer
