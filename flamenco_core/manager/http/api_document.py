"""The API document, and a page to read it."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from litestar import Controller, Litestar, get

from flamenco_core.manager.http.api_page import render
from flamenco_core.manager.http.document import describe
from flamenco_core.manager.http.endpoints import endpoints_of
from flamenco_core.manager.http.plumbing import Answer, Request, reply
from flamenco_core.offers.operations import Raw, operation
from flamenco_core.wire.schema import Schema

__all__ = ["ApiDocumentController", "document_of"]

STRICT = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
"""The page has no script at all; its one style sheet is beside it."""


def document_of(app: Litestar) -> Schema:
    """Return an application's document; it is made when somebody first asks."""
    if "document" not in app.state:
        app.state.document = describe(endpoints_of(app))
    document: Schema = app.state.document
    return document


class ApiDocumentController(Controller):
    """What can be asked of this Manager; at the addresses that Flamenco's web app knows."""

    path = "/api/v3"
    tags = ["meta"]

    @get("/openapi3.json", opt=operation("getApiDocument", dict[str, Any]))
    async def document(self, request: Request[Any, Any, Any]) -> Answer:
        """Return this document: all operations, those of plugins too."""
        return reply(_here(request))

    @get("/swagger-ui", opt=operation("showApi", Raw("text/html")))
    async def page(self, request: Request[Any, Any, Any]) -> Answer:
        """Show the document as a page."""
        body = render(_here(request)).encode()
        return Answer(body, media_type="text/html; charset=utf-8", headers=STRICT)

    @get("/swagger-ui/style.css", opt=operation("getApiStyle", Raw("text/css")))
    async def style(self, request: Request[Any, Any, Any]) -> Answer:
        """Return the page's style sheet."""
        body = files(__package__).joinpath("api_page.css").read_bytes()
        return Answer(body, media_type="text/css; charset=utf-8", headers=STRICT)


def _here(request: Request[Any, Any, Any]) -> Schema:
    # Inside of another application, its address comes before ours.
    base = request.scope.get("root_path", "").rstrip("/") or "/"
    return {**document_of(request.app), "servers": [{"url": base}]}
