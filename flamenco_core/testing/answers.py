"""Holds every answer of every Manager in a test against the API document.

For this repository's own tests: a pytest plugin that watches the applications themselves,
so that no test can forget it, whatever client it uses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import attrs
import httpx
import jsonschema
import pytest
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import Message, Receive, Scope, Send

from flamenco_core.manager import create_manager
from flamenco_core.manager.http.document import describe
from flamenco_core.manager.http.endpoints import Endpoint, endpoints_of

__all__ = ["Document", "problems_with", "watch_answers", "watch_response"]

JSON = "application/json"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_heard: list[str] = []


class Document:
    """An API document that answers are held against; its schemas are prepared once."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._formats = jsonschema.FormatChecker(formats=())
        self._formats.checks("date-time")(lambda text: bool(TIME.fullmatch(str(text))))
        self._validators: dict[int, Any] = {}

    def problems(
        self, method: str, template: str, status: int, media_type: str, body: bytes
    ) -> Iterator[str]:
        """Say what is wrong with an answer; *template* is empty where there is no route."""
        responses = self._responses(method, template)
        response = responses.get(str(status))
        if response is None:
            if "default" not in responses:
                yield "the status is not declared; add it to the route's operation(...)"
        elif content := response.get("content"):
            yield from self._unfit(content, media_type, body)
        elif body:
            yield "it is declared to have no body, but has one"

    def template_of(self, path: str) -> str:
        """Return the path in the document that an address belongs to, or an empty text."""
        templates = sorted(self.document["paths"], key=lambda template: template.count("{"))
        patterns = {re.sub(r"\\{\w+\\}", "[^/]+", re.escape(t)): t for t in templates}
        found = (patterns[p] for p in patterns if re.fullmatch(p, path.rstrip("/")))
        return next(found, "")

    def _responses(self, method: str, template: str) -> dict[str, Any]:
        if found := self.document["paths"].get(template, {}).get(method.lower()):
            return dict(found["responses"])
        # No operation's answer: to OPTIONS, or an error before there was a route.
        error = {"content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}}
        return {"204": {}, **dict.fromkeys(map(str, range(400, 600)), error)}

    def _unfit(self, content: dict[str, Any], media_type: str, body: bytes) -> Iterator[str]:
        if media_type not in content:
            yield f"media type {media_type!r} is not declared, but {[*content]}"
        elif media_type == JSON and body:
            schema = content[media_type]["schema"]
            for error in self._validator(schema).iter_errors(json.loads(body)):
                yield f"{error.json_path}: {error.message:.200}"

    def _validator(self, schema: dict[str, Any]) -> Any:
        if id(schema) not in self._validators:
            whole = {"allOf": [schema], "components": self.document["components"]}
            kind = jsonschema.Draft4Validator(whole, format_checker=self._formats)
            self._validators[id(schema)] = kind
        return self._validators[id(schema)]


@attrs.define
class _Answer:
    status: int = 0
    media_type: str = ""
    body: bytes = b""

    def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = {key.lower(): value for key, value in message["headers"]}
            self.media_type = headers.get(b"content-type", b"").decode().partition(";")[0]
        elif message["type"] == "http.response.body" and self.media_type in {JSON, ""}:
            # Not what may have no end: logs, images, events.
            self.body += message["body"]


@cache
def _document(endpoints: tuple[Endpoint, ...]) -> Document:
    # Applications with the same routes share one: to prepare it takes longer than a test.
    return Document(describe(endpoints))


@cache
def _ours() -> Document:
    return _document(endpoints_of(create_manager(discover=False)))


def problems_with(app: Litestar, scope: Any, answer: Any) -> list[str]:
    """Say what is wrong with an application's answer to the request of *scope*."""
    document, template = _document(endpoints_of(app)), scope.get("path_template", "")
    found = document.problems(
        scope["method"], template, answer.status, answer.media_type, answer.body
    )
    return [f"{scope['method']} {scope['path']} answered {answer.status}: {p}" for p in found]


def watch_response(response: httpx.Response) -> None:
    """Watch a Manager in another process: a response hook for an httpx client."""
    request = response.request
    media_type = response.headers.get("content-type", "").partition(";")[0]
    document = _ours()
    template = document.template_of(request.url.path)
    body = response.read() if media_type == JSON else b""
    found = document.problems(request.method, template, response.status_code, media_type, body)
    _heard.extend(f"{request.method} {request.url} answered: {problem}" for problem in found)


@pytest.fixture(scope="session", autouse=True)
def watch_answers() -> Iterator[None]:
    """Watch all Managers in this process."""
    serve = Litestar.__call__

    async def watched(app: Litestar, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer()

        async def note(message: Message) -> None:
            answer.take(message)
            await send(message)

        is_ours = scope["type"] == ScopeType.HTTP and "manager" in app.state
        await serve(app, scope, receive, note if is_ours else send)
        if is_ours and answer.status:
            _heard.extend(problems_with(app, scope, answer))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Litestar, "__call__", watched)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Fail a test in which a Manager answered what its document does not have."""
    _heard.clear()
    yield
    if _heard:
        pytest.fail("\n".join(["the API document says otherwise:", *_heard]), pytrace=False)
