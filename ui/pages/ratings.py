"""Ratings: the route to which the page posts thumbs up or down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import HTTPException
from fastapi.responses import FileResponse, JSONResponse

from rag import InputError, Library
from ui import strings
from ui.pages import answers
from ui.security import origin, principal

SCRIPT = Path(__file__).parents[1] / "static" / "ratings.js"


@dataclass(frozen=True, slots=True)
class Said:
    """A rating of a passage retrieved for a question; None withdraws it."""

    question: str
    passage: str
    good: bool | None


def add_routes(app: FastAPI, library: Library) -> None:
    """Add the rating route and its script."""

    @app.put("/ratings")
    def rate(said: Said, request: Request) -> JSONResponse:
        if not origin.is_from_here(request.scope):
            raise HTTPException(403, strings.NOT_FROM_HERE)
        if not principal.of(request.scope).may_change:
            raise HTTPException(403, strings.NOT_TO_RATE)
        try:
            kept = answers.rate(library, said.question, said.passage, good=said.good)
        except InputError as error:
            raise HTTPException(400, strings.sentence(str(error))) from error
        if not kept:
            raise HTTPException(409, strings.NO_LONGER_FOUND)
        return JSONResponse({"said": strings.TAKEN_BACK if said.good is None else strings.KEPT})

    @app.get("/ratings.js")
    def script() -> FileResponse:
        return FileResponse(
            SCRIPT, media_type="text/javascript", headers={"cache-control": "no-cache"}
        )
