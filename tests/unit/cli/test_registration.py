"""Who may join, and who was here before: on the command line, against a real Manager."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from flamenco_core.cli import logs
from flamenco_core.domain.registration import Admission
from flamenco_core.manager import ManagerSettings, create_manager
from flamenco_core.manager.registration_settings import RegistrationSettings
from flamenco_core.tokens import make_token, read_token


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Any]:
    settings = ManagerSettings(
        database=str(tmp_path / "manager.sqlite"),
        local_manager_storage_path=tmp_path / "local",
        shared_storage_path=str(tmp_path),
        autodiscoverable=False,
        worker_registration=RegistrationSettings(mode=Admission.APPROVAL),
    )
    app = create_manager(settings, discover=False)
    inner = app.asgi_handler

    async def near(scope: Any, receive: Any, send: Any) -> None:
        # Whoever decides who gets in sits at the Manager's own machine.
        scope["client"] = ("127.0.0.1", 1)
        await inner(scope, receive, send)

    app.asgi_handler = near
    with TestClient(app) as client:
        yield client


@pytest.fixture
def ask(flamenco: Any, web: Any) -> Any:
    """Run ``flamenco ARGS`` against that Manager."""

    def answer(request: httpx.Request) -> httpx.Response:
        headers = {k: v for k, v in request.headers.items() if k != "host"}
        path = request.url.raw_path.decode()
        got = web.request(request.method, path, content=request.content, headers=headers)
        return httpx.Response(got.status_code, content=got.content, headers=got.headers)

    def call(*args: str) -> Any:
        return flamenco(*args, transport=httpx.MockTransport(answer))

    return call


def register(web: Any, name: str, token: str = "") -> str:
    body = {
        "name": name,
        "platform": "linux",
        "secret": name.ljust(64, "7"),
        "supported_task_types": ["misc"],
    }
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = web.post("/api/v3/worker/register-worker", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["uuid"])


def test_a_token_is_shown_once_and_alone(ask: Any, web: Any) -> None:
    made = ask("worker-token", "create", "--ttl", "2d", "--uses", "20")
    token = made.out.strip()
    assert made.code == 0
    assert read_token(token)
    assert "For 20 Workers, until " in made.err
    assert f"manager_url: http://127.0.0.1:8080/join/{token}/" in made.err
    register(web, "alfa", token)
    listed = ask("worker-token", "list")
    assert "usable  1/20" in listed.out
    assert token.split("_")[3] not in listed.out


def test_a_token_is_revoked_by_its_id_or_as_a_whole(ask: Any) -> None:
    for pick in (lambda token: token, lambda token: token.split("_")[2]):
        token = ask("worker-token", "create").out.strip()
        assert "opens nothing any more" in ask("worker-token", "revoke", pick(token)).out
    assert ask("worker-token", "list").out.count("revoked") == 2


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["create", "--ttl", "soon"], "--ttl: not an age such as 30d, 2w or 12h: 'soon'"),
        (["create", "--ttl", "500d"], "counts for 1 second to 366 days"),
        (["create", "--uses", "0"], "is for 1 to 100000 Workers, not for 0"),
        (
            ["create", "--tag", "gpu"],
            "there is no worker tag 'gpu'; 'flamenco apply' makes tags, from a file",
        ),
        (["revoke", "abc"], "there is no registration token 'abc'; 'flamenco worker-token list'"),
    ],
)
def test_wrong_wishes_are_named(ask: Any, args: list[str], words: str) -> None:
    refused = ask("worker-token", *args)
    assert refused.code == 1
    assert words in refused.err


def test_workers_are_approved_and_rejected(ask: Any, web: Any) -> None:
    register(web, "alfa")
    register(web, "beta")
    assert ask("workers").out.count("approval") == 2
    assert "(alfa) is approved" in ask("workers", "approve", "alfa").out
    assert "(alfa) was in already" in ask("workers", "approve", "alfa").out
    assert "(beta) is rejected" in ask("workers", "reject", "beta").out
    refused = ask("workers", "reject", "alfa")
    assert refused.code == 1
    assert "does not wait for approval; delete it" in refused.err
    # A typing error lets nobody in.
    register(web, "cove")
    assert "there is no worker 'dune'" in ask("workers", "approve", "cove", "dune").err
    assert "approval" in ask("workers").out


def test_a_machine_that_comes_back_is_merged(ask: Any, web: Any) -> None:
    old, new = register(web, "alfa"), register(web, "alfa")
    hint = ask("workers").err
    assert f"'flamenco workers merge {old[:8]} {new[:8]}' makes one of them" in hint
    assert "can be 2 workers" in ask("workers", "merge", "alfa", new).err
    assert "which is deleted" in ask("workers", "merge", old[:8], new[:8]).out
    assert ask("workers").err == ""
    assert "cannot be merged with itself" in ask("workers", "merge", new, new).err


def test_a_worker_is_asked_for_another_secret(ask: Any, web: Any) -> None:
    register(web, "alfa")
    assert "is asked to change its secret" in ask("workers", "rotate", "alfa").out
    assert "there is no worker 'x'" in ask("workers", "rotate", "x").err


def test_people_see_what_a_worker_sees(ask: Any, web: Any) -> None:
    register(web, "alfa")
    assert "{blender}" in ask("workers", "variables", "alfa").out
    shown = ask("workers", "variables", "alfa", "{blender} {blenderArgs} {x}")
    assert shown.out == "blender -b -y {x}\n"
    assert ask("workers", "variables", "alfa", "--json").json["platform"] == "linux"


def test_no_line_of_a_log_has_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    token = make_token("reg").text
    formatter = logs._Discreet("%(message)s")
    record = logging.LogRecord("x", 20, "x", 1, "at /join/%s/", (token,), None)
    assert token.split("_")[3] not in formatter.format(record)
