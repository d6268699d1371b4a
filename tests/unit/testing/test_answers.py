"""The watcher itself: what it lets pass, and what it does not."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from litestar import Response, get

from flamenco_core import hookimpl
from flamenco_core.manager.http.document import describe
from flamenco_core.manager.http.endpoints import Endpoint
from flamenco_core.offers import Raw, operation
from flamenco_core.testing import answers
from flamenco_core.wire.schema import Time

JSON = "application/json"


@attrs.frozen
class House:
    """A house."""

    name: str
    built: Time | None = None


def endpoint(path: str, **how: Any) -> Endpoint:
    return Endpoint(method="GET", path=path, name="x", words="X.", tags=(), **how)


@pytest.fixture
def document() -> answers.Document:
    houses = operation("see", {200: House, 202: None, 203: Raw("text/plain")})["declared"]
    return answers.Document(
        describe([endpoint("/house", declared=houses), endpoint("/free", declared=None)])
    )


ERROR = b'{"code": 404, "message": "no"}'


@pytest.mark.parametrize(
    ("path", "status", "media_type", "body", "words"),
    [
        ("/house", 200, JSON, b'{"name": "x"}', ""),
        ("/house", 200, JSON, b'{"name": "x", "more": 1}', ""),
        ("/house", 200, JSON, b'{"name": "x", "built": "2026-01-01T00:00:00Z"}', ""),
        ("/house", 200, JSON, b'{"name": "x", "built": "yesterday"}', "built"),
        ("/house", 200, JSON, b'{"name": "x", "built": null}', "built"),
        ("/house", 200, JSON, b'{"name": 5}', "name"),
        ("/house", 200, JSON, b"{}", "name"),
        ("/house", 200, JSON, b"[]", "object"),
        ("/house", 200, "text/html", b"<p>", "media type 'text/html' is not declared"),
        ("/house", 202, "", b"", ""),
        ("/house", 202, JSON, b"{}", "no body"),
        ("/house", 203, "text/plain", b"", ""),
        ("/house", 201, JSON, b"{}", "status is not declared"),
        ("/house", 400, JSON, ERROR, ""),
        ("/house", 400, JSON, b'{"message": "no"}', "code"),
        ("/house", 418, JSON, ERROR, "status is not declared"),
        ("/free", 418, "x/y", b"anything", ""),
        ("", 404, JSON, ERROR, ""),
        ("", 405, JSON, ERROR, ""),
        ("", 404, JSON, b"{}", "code"),
        ("", 200, JSON, b"{}", "status is not declared"),
    ],
)
def test_answers_are_held_against_the_document(
    document: answers.Document, path: str, status: int, media_type: str, body: bytes, words: str
) -> None:
    problems = list(document.problems("GET", path, status, media_type, body))
    assert bool(problems) == bool(words)
    assert words in "".join(problems)


def test_addresses_find_their_path() -> None:
    paths = ("/jobs/{job_id}", "/jobs/types", "/jobs/{job_id}/tasks")
    document = answers.Document(describe([endpoint(path, declared=None) for path in paths]))
    found = [document.template_of(p) for p in ("/jobs/7", "/jobs/types/", "/jobs/7/tasks", "/no")]
    assert found == ["/jobs/{job_id}", "/jobs/types", "/jobs/{job_id}/tasks", ""]


async def test_every_manager_of_a_test_is_watched(manager) -> None:
    @get("/house", opt=operation("seeHouse", House), sync_to_thread=False)
    def handler() -> Response[dict[str, int]]:
        return Response({"name": 5}, status_code=201)

    class Houses:
        @hookimpl
        def register_routes(self) -> list[Any]:
            return [handler]

    async with manager([Houses()]) as running:
        await running.client.get("/house")
    # Else this test would fail, as it should.
    assert [line.partition(";")[0] for line in answers._heard] == [
        "GET /house answered 201: the status is not declared"
    ]
    answers._heard.clear()
