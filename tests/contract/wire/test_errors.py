"""Whatever goes wrong, the answer is ``{code, message}``; the judge reads each of them."""

from __future__ import annotations

import json

import pytest

from flamenco_core import hookimpl

JOB = "1f2c5e74-7c8e-4a51-8c5d-111111111111"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v3/no-such", 404),
        ("GET", "/", 404),
        ("GET", "/api/v3/jobs/types/x/y", 404),
        ("DELETE", "/api/v3/version", 405),
        ("PATCH", "/api/v3/jobs", 405),
        ("GET", "/api/v3/jobs/check", 405),
        ("GET", "/api/v3/jobs/nonsense", 400),
        ("GET", f"/api/v3/jobs/{JOB}x", 400),
        ("GET", f"/api/v3/jobs/{{{JOB}}}", 400),
        ("GET", f"/api/v3/jobs/{JOB.replace('-', '')}", 400),
        ("GET", f"/api/v3/jobs/{JOB}", 404),
        ("GET", f"/api/v3/tasks/{JOB}", 404),
        ("GET", f"/api/v3/tasks/{JOB}/log", 404),
        ("GET", f"/api/v3/tasks/{JOB}/logtail", 404),
        ("GET", f"/api/v3/worker-mgt/workers/{JOB}", 404),
        ("GET", "/api/v3/jobs/type/no-such", 404),
        ("GET", "/api/v3/jobs/type/a%00b", 404),
        ("POST", "/api/v3/worker/task", 403),
        ("GET", "/api/v3/worker/state", 403),
        ("GET", "/api/v3/events?topics=weather", 400),
    ],
)
async def test_errors_have_one_shape(api, method: str, path: str, status: int) -> None:
    assert (await api.client.request(method, path)).status_code == status


async def test_method_not_allowed_says_what_is(api) -> None:
    answer = await api.client.put("/api/v3/version")
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b"\xff",
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"priority": 1e999}',
        b"[" * 100_000,
        b'{"a":' * 100 + b"1" + b"}" * 100,
    ],
)
async def test_a_body_that_is_no_job_answers_400(api, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await api.client.post("/api/v3/jobs", content=body, headers=headers)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "content_type", ["text/plain", "", "application/x-www-form-urlencoded", "application/jsonp"]
)
async def test_a_body_of_another_type_answers_400(api, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    answer = await api.client.post("/api/v3/jobs", content=b"{}", headers=headers)
    assert answer.status_code == 400
    assert "application/json" in answer.json()["message"]


async def test_a_charset_does_not_matter(api) -> None:
    body = {"name": "x", "type": "echo-sleep-test", "submitter_platform": "linux"}
    body["settings"] = {"message": "hi"}
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    answer = await api.client.post("/api/v3/jobs", content=json.dumps(body), headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("query", ["?pretty", "?_=1700000000", "?pretty=1&jobs=5"])
async def test_unknown_query_parameters_are_ignored(api, query: str) -> None:
    assert (await api.client.get(f"/api/v3/jobs{query}")).json() == {"jobs": []}


@pytest.mark.parametrize("path", ["/api/v3/jobs/", "/api/v3/jobs", "//api/v3//jobs"])
async def test_slashes_too_many_do_not_matter(api, path: str) -> None:
    answer = await api.client.get(f"http://manager.test{path}")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("worker/register-worker", 1024 * 1024 + 1, 413),
        ("jobs", 1024 * 1024 + 1, 400),
        ("jobs", 8 * 1024 * 1024 + 1, 413),
        ("jobs/check", 8 * 1024 * 1024 + 1, 413),
    ],
)
async def test_a_body_that_is_too_large_answers_413(api, path, size, status) -> None:
    headers = {"Content-Type": "application/json"}

    async def unannounced():
        for _ in range(0, size, 65536):
            yield b" " * 65536

    for body in (b" " * size, unannounced()):
        answer = await api.client.post(f"/api/v3/{path}", content=body, headers=headers)
        assert answer.status_code == status


async def test_a_large_job_is_taken(api) -> None:
    settings = {"message": "x" * 7_000_000}
    id = await api.submit("echo-sleep-test", settings)
    assert (await api.job(id))["settings"] == settings


@pytest.mark.parametrize("where", ["name", "settings", "key", "metadata", "deep"])
async def test_a_nul_character_answers_400(api, where: str) -> None:
    body = {
        "name": "x\0" if where == "name" else "x",
        "type": "echo-sleep-test",
        "submitter_platform": "linux",
        "settings": {"message": "a\0b" if where == "settings" else "hi"},
        "metadata": {"k\0" if where == "key" else "k": "\0" if where == "metadata" else "v"},
    }
    if where == "deep":
        body["settings"]["more"] = [{"a": ["\0"]}]
    answer = await api.client.post("/api/v3/jobs", json=body)
    assert answer.status_code == 400
    assert "NUL" in answer.json()["message"]


async def test_a_backslash_before_u0000_is_just_a_text(api) -> None:
    id = await api.submit("echo-sleep-test", {"message": "\\u0000"})
    assert (await api.job(id))["settings"]["message"] == "\\u0000"


async def test_what_nobody_foresaw_answers_500_without_details(manager, judge, caplog) -> None:
    class Broken:
        @hookimpl
        def find_identity(self) -> None:
            raise RuntimeError("the password of the database is swordfish")

    async with manager([Broken()]) as running:
        running.client.event_hooks["response"].append(judge)
        answer = await running.client.get("/api/v3/version")
    assert answer.status_code == 500
    assert "swordfish" not in answer.text
    assert "swordfish" in caplog.text
