"""What is wrong in the same way for every operation that takes a body; from our own document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from flamenco_core.manager import create_manager
from flamenco_core.manager.http.api_document import document_of

DOCUMENT = document_of(create_manager(discover=False))
Operation = tuple[str, str, str, dict[str, Any]]
JSON = "application/json"
ID = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
VALUES = {"integer": 1, "boolean": True, "number": 1.0, "object": {}}


def with_bodies() -> Iterator[Operation]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {})
            if JSON in content:
                schema = content[JSON]["schema"]
                yield operation["operationId"], method, path, schema


OPERATIONS = list(with_bodies())
ANY_KEYS = {"updateConfigurationFile", "rehearseConfiguration"}
"""Keys that they do not know are left out; test_configuration.py is about those they know."""
both_databases = pytest.mark.parametrize(
    "database",
    [
        pytest.param(None, id="sqlite"),
        pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgresql),
    ],
    indirect=True,
)


def example(schema: dict[str, Any]) -> Any:
    """Make a body that fits, with every key."""
    if "$ref" in schema:
        return example(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "allOf" in schema:
        return example(schema["allOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "string":
        return {"date-time": "2026-04-01T10:00:00Z", "uuid": ID}.get(schema.get("format"), "x")
    if schema.get("type") == "array":
        return [example(schema["items"])]
    if "properties" in schema:
        return {key: example(inner) for key, inner in schema["properties"].items()}
    return (
        {"x": example(schema["additionalProperties"])}
        if has_more(schema)
        else VALUES.get(schema.get("type", ""), "x")
    )


def has_more(schema: dict[str, Any]) -> bool:
    return isinstance(schema.get("additionalProperties"), dict)


def with_each_text(body: Any, text: str) -> Iterator[Any]:
    """Give the body with one of its texts replaced after the other, and a key of that name."""
    if isinstance(body, str):
        yield text
    elif isinstance(body, list):
        for place, inner in enumerate(body):
            for changed in with_each_text(inner, text):
                yield [*body[:place], changed, *body[place + 1 :]]
    elif isinstance(body, dict):
        yield {**body, text: 1}
        for key, inner in body.items():
            for changed in with_each_text(inner, text):
                yield {**body, key: changed}


class Client:
    """A worker, so that no door is closed."""

    def __init__(self, worker: Any, api: Any) -> None:
        self.worker, self.client = worker, api.client

    async def refused(self, operation: Operation, body: Any, media: str = JSON) -> str:
        """Send what must be refused with 400; return the Manager's words."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self.send(operation, content, media)
        assert answer.status_code == 400, (operation[0], content[:300], media)
        return str(answer.json()["message"])

    async def send(self, operation: Operation, body: bytes, media: str = JSON) -> Any:
        _, method, path, _ = operation
        headers = {"Authorization": self.worker.auth}
        headers["Content-Type"] = media
        url = path.replace("{", "").replace("}", "")
        for word in ("job_id", "task_id", "worker_id", "tag_id"):
            url = url.replace(word, ID)
        return await self.client.request(method, url, content=body, headers=headers)


@pytest.fixture
async def client(api, go_worker) -> Client:
    return Client(await go_worker().join(), api)


def test_the_examples_are_told_from_the_document() -> None:
    assert len(OPERATIONS) > 15
    found = {name: example(schema) for name, _, _, schema in OPERATIONS}
    assert found["setJobPriority"] == {"priority": 1}
    (entry,) = found["removeJobBlocklist"]
    assert entry.items() >= {"worker_id": "x", "task_type": "x", "worker_name": "x"}.items()


async def test_what_fits_is_not_refused_for_its_form(client) -> None:
    for operation in OPERATIONS:
        answer = await client.send(operation, json.dumps(example(operation[3])).encode())
        # Perhaps for what stands in it: a type of jobs that there is not, for example.
        assert answer.status_code < 500
        assert "must be a" not in answer.text, operation[0]


@both_databases
async def test_a_nul_in_any_text_answers_400(client) -> None:
    for operation in OPERATIONS:
        for body in with_each_text(example(operation[3]), "a\0b"):
            assert "NUL" in await client.refused(operation, body)


async def test_half_of_a_surrogate_pair_answers_400(client) -> None:
    for operation in OPERATIONS:
        for body in with_each_text(example(operation[3]), "\ud800"):
            await client.refused(operation, body)


@pytest.mark.parametrize("around", ['{"a":%s}', "[%s]"])
async def test_what_is_nested_too_deep_answers_400(client, around: str) -> None:
    head, tail = around.split("%s")
    for operation in OPERATIONS:
        for depth in (65, 100, 10_000, 100_000):
            deep = f"{head * depth}1{tail * depth}"
            await client.refused(operation, deep.encode())
            await client.refused(operation, deep_inside(example(operation[3]), deep))


def deep_inside(body: Any, deep: str) -> bytes:
    inside = body[0] if isinstance(body, list) else body
    inside["more"] = "DEEP"
    return json.dumps(body).replace('"DEEP"', deep).encode()


WRONG = [b"", b" ", b"null", b"true", b"0", b'"x"', b"{", b"[", b"\xff\xfe{}", b"NaN", b"{}{}"]


async def test_no_body_of_that_kind_answers_400(client) -> None:
    for operation in OPERATIONS:
        for body in WRONG:
            await client.refused(operation, body)


async def test_another_content_type_answers_400(client) -> None:
    for operation in OPERATIONS:
        for media in ("", "text/plain", "application/xml", "multipart/form-data", "json"):
            assert JSON in await client.refused(operation, example(operation[3]), media)


async def test_a_value_of_another_kind_answers_400_and_is_named(client) -> None:
    for operation in OPERATIONS:
        if operation[0] in ANY_KEYS:
            continue
        good = example(operation[3])
        inside = good[0] if isinstance(good, list) else good
        for key, value in list(inside.items()):
            for wrong in (1.5, -(2**63) - 1, 2**63, [[]], {"a": []}):
                if type(wrong) is type(value) is dict:
                    continue
                inside[key] = wrong
                assert key in await client.refused(operation, good)
            inside[key] = value
