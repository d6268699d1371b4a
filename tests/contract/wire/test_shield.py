"""What is refused before anybody looks at it, and what all answers say."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest
from litestar import Response, get

from flamenco_core import hookimpl
from flamenco_core.manager.http.shield import ON_ALL_ANSWERS
from flamenco_core.manager.limits import Limits

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://manager.test:8081"},
    {"Origin": "http://manager.test.evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://manager.test"},
]
OWN = [
    {},
    {"Origin": "http://manager.test"},
    {"Origin": "https://Manager.test"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
]
JOB = {"name": "x", "type": "echo-sleep-test", "submitter_platform": "linux"}
JOB |= {"settings": {"message": "hi"}}  # type: ignore[dict-item]


def client_from(running: Any, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(running.app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://manager.test")


# -- Host ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v3/version", "/live", "/no-such", "/metrics"])
async def test_a_name_that_is_not_ours_is_refused_everywhere(api, path: str) -> None:
    answer = await api.client.get(path, headers={"Host": "evil.example"})
    assert answer.status_code == 421
    assert "'evil.example'" in answer.json()["message"]
    assert "'hosts:'" in answer.json()["message"]


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "[::1]:8080", "farm", "farm.local", "10.1.2.3"])
async def test_a_studios_own_names_and_addresses_are_taken(api, host: str) -> None:
    assert (await api.client.get("/api/v3/version", headers={"Host": host})).status_code == 200


async def test_a_name_can_be_set(manager, judge) -> None:
    settings = {"hosts": ("farm.example",), "public_url": "https://public.example"}
    async with manager(settings=settings) as running:
        running.client.event_hooks["response"].append(judge)
        for host, status in (("farm.example", 200), ("public.example", 200), ("a.example", 421)):
            answer = await running.client.get("/api/v3/version", headers={"Host": host})
            assert answer.status_code == status


@pytest.mark.parametrize("hosts", [[], ["manager.test", "manager.test"], ["a b"], [""]])
async def test_none_or_several_or_a_broken_host_answers_400(api, hosts: list[str]) -> None:
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/api/v3/version",
        "raw_path": b"/api/v3/version",
        "root_path": "",
        "query_string": b"",
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", host.encode()) for host in hosts],
    }
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    await api.app(scope, receive, send)
    assert said[0]["status"] == 400


# -- other sites -----------------------------------------------------------------------------


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_page_of_another_site_changes_nothing(api, headers: dict[str, str]) -> None:
    answer = await api.client.post("/api/v3/jobs", json=JOB, headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.json()["message"]
    for method in ("PUT", "DELETE", "PATCH"):
        answer = await api.client.request(method, "/api/v3/jobs", headers=headers)
        assert answer.status_code == 403
    assert (await api.client.get("/api/v3/jobs")).json() == {"jobs": []}


@pytest.mark.parametrize("headers", OWN)
async def test_our_own_pages_and_programs_may(api, headers: dict[str, str]) -> None:
    answer = await api.client.post("/api/v3/jobs", json=JOB, headers=headers)
    assert answer.status_code == 200


async def test_a_proxys_address_is_ours_if_it_is_set(manager) -> None:
    settings = {"public_url": "https://farm.example/"}
    async with manager(settings=settings) as running:
        for origin, status in (("https://farm.example", 200), ("https://evil.example", 403)):
            headers = {"Origin": origin}
            answer = await running.client.post("/api/v3/jobs", json=JOB, headers=headers)
            assert answer.status_code == status


@pytest.mark.parametrize("headers", FOREIGN)
async def test_looking_is_not_changing(api, headers: dict[str, str]) -> None:
    answer = await api.client.get("/api/v3/jobs", headers=headers)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


# -- what comes along ------------------------------------------------------------------------


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "identity, gzip", "nonsense"])
async def test_packed_bodies_are_refused_unread(api, coding: str) -> None:
    headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
    answer = await api.client.post("/api/v3/jobs", content=b"\x1f\x8b", headers=headers)
    assert answer.status_code == 415
    assert "Content-Encoding" in answer.json()["message"]


async def test_identity_is_no_packing(api) -> None:
    headers = {"Content-Encoding": "Identity"}
    assert (await api.client.post("/api/v3/jobs", json=JOB, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v3/version", 200),
        ("/api/v3/jobs/nonsense", 400),
        ("/no-such", 404),
        ("/metrics", 200),
        ("/upnp/description.xml", 200),
        ("/job-files/a/b/c", 404),
    ],
)
async def test_every_answer_tells_the_browser_what_not_to_do(api, path: str, status: int) -> None:
    for host, expected in (("manager.test", status), ("evil.example", 421)):
        answer = await api.client.get(path, headers={"Host": host})
        assert answer.status_code == expected
        for name, value in ON_ALL_ANSWERS.items():
            assert answer.headers.get_list(name) == [value]
        assert "strict-transport-security" not in answer.headers


async def test_a_page_that_knows_better_says_its_own(manager) -> None:
    class Page:
        @hookimpl
        def register_routes(self) -> list[Any]:
            @get("/page", opt={"operation": "page"}, sync_to_thread=False)
            def page() -> Response[str]:
                headers = {"Cache-Control": "max-age=60", "Content-Security-Policy": "sandbox"}
                return Response("hi", headers=headers)

            return [page]

    async with manager([Page()]) as running:
        answer = await running.client.get("/page")
        assert answer.headers.get_list("cache-control") == ["max-age=60"]
        assert answer.headers.get_list("content-security-policy") == ["sandbox"]
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_with_tls_browsers_shall_keep_to_it(manager) -> None:
    async with manager(settings={"public_url": "https://farm.example"}) as running:
        answer = await running.client.get("/api/v3/version")
        assert "max-age" in answer.headers["strict-transport-security"]


async def test_workers_are_spared_what_only_browsers_read(api, go_worker) -> None:
    worker = await go_worker().join()
    assert set(ON_ALL_ANSWERS).isdisjoint((await worker.ask()).headers)


# -- how often -------------------------------------------------------------------------------


async def test_too_many_registrations_from_one_address_answer_429(manager, judge) -> None:
    body = {"name": "w", "platform": "linux", "secret": "s", "supported_task_types": ["misc"]}
    path = "/api/v3/worker/register-worker"
    async with manager(settings={"limits": Limits(registrations_per_minute=2)}) as running:
        async with client_from(running, "10.0.0.9") as client:
            client.event_hooks["response"].append(judge)
            statuses = [(await client.post(path, json=body)).status_code for _ in range(3)]
            assert statuses == [200, 200, 429]
            answer = await client.post(path, json=body)
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            assert "registrations_per_minute" in answer.json()["message"]
            assert (await client.get("/api/v3/version")).status_code == 200
        async with client_from(running, "10.0.0.8") as other:
            assert (await other.post(path, json=body)).status_code == 200
        for _ in range(5):
            assert (await running.client.post(path, json=body)).status_code == 200


async def test_who_guesses_at_secrets_is_slowed_down(manager) -> None:
    async with (
        manager(settings={"limits": Limits(requests_per_minute=3)}) as running,
        client_from(running, "10.0.0.9") as client,
    ):
        auth = ("1f2c5e74-7c8e-4a51-8c5d-111111111111", "guess")
        answers = [await client.get("/api/v3/worker/state", auth=auth) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 429, 429]


async def test_a_trusted_proxys_clients_are_told_apart(manager) -> None:
    settings = {"limits": Limits(requests_per_minute=2), "trusted_proxies": ("10.0.0.1",)}
    async with (
        manager(settings=settings) as running,
        client_from(running, "10.0.0.1") as proxy,
        client_from(running, "10.0.0.2") as liar,
    ):
        for client, ends in ((proxy, [200, 200, 200, 200]), (liar, [200, 200, 429, 429])):
            found = []
            for number in range(4):
                headers = {"X-Forwarded-For": f"6.6.6.6, 10.9.9.{number}"}
                found.append((await client.get("/api/v3/version", headers=headers)).status_code)
            assert found == ends


# -- faults ----------------------------------------------------------------------------------


async def test_a_fault_has_a_name_that_the_log_knows(manager, caplog) -> None:
    class Broken:
        @hookimpl
        def find_identity(self) -> None:
            raise RuntimeError("the password of the database is swordfish")

    caplog.set_level(logging.ERROR)
    async with manager([Broken()]) as running:
        answers = [await running.client.get(f"/api/v3/{p}") for p in ("version", "jobs")]
    first, second = (answer.json()["message"].rpartition(" ")[2] for answer in answers)
    assert [answer.status_code for answer in answers] == [500, 500]
    assert first == second
    assert f"GET /api/v3/version failed, fault {first}" in caplog.text
