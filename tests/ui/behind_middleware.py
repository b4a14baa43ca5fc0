"""An application behind a gate, which tells what it hears."""

from __future__ import annotations

from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ui.security import policy
from ui.security.middleware import protect
from ui.security.policy import Access

PASSWORD = "a tank, a whale and bread"  # noqa: S105 (of nobody)
FORM = {"name": "ada", "password": PASSWORD, "after": "/documents/x?q=y"}
HTML = {"accept": "text/html"}
HOST = "http://192.0.2.7:7860"


async def told(request: Request) -> JSONResponse:
    """What the application hears of a request."""
    return JSONResponse(
        {
            "path": request.scope["path"],
            "root": request.scope.get("root_path", ""),
            "url": str(request.url),
            "client": request.client.host if request.client else "",
            "role": policy.principal_of(request.scope).role,
            "name": policy.principal_of(request.scope).name,
            "headers": sorted(request.headers),
            "bytes": len(await request.body()),
        }
    )


def behind(access: Access, base: str = HOST, peer: str = "198.51.100.4") -> TestClient:
    """A client of an application that tells what it hears, behind a gate."""
    methods = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
    app = Starlette(routes=[Route("/{path:path}", told, methods=methods)])
    return TestClient(protect(app, access), base_url=base, client=(peer, 1), follow_redirects=False)
