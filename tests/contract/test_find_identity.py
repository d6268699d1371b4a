from __future__ import annotations

from types import SimpleNamespace

import pytest
from litestar.connection import ASGIConnection

from flamenco_core import Identity, Problem
from flamenco_core.errors import Forbidden


def asked(**headers: str) -> dict[str, object]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"connection": SimpleNamespace(headers=names), "manager": None}


async def test_the_example_knows_people_of_the_proxy(load, example) -> None:
    plugins = load("manager", example("find_identity"))
    found = await plugins.find("find_identity", **asked(x_remote_user="ops"))
    assert found == Identity(kind="person", id="ops", name="ops")
    assert await plugins.find("find_identity", **asked()) is None


async def test_the_last_registered_is_asked_first(load, implementing) -> None:
    first = implementing("first", find_identity=lambda: Identity(name="first"))
    last = implementing("last", find_identity=lambda: Identity(name="last"))
    found = await load("manager", first, last).find("find_identity", **asked())
    assert found.name == "last"


@pytest.mark.parametrize("error", [Forbidden("wrong token"), RuntimeError("database is down")])
async def test_an_error_lets_nobody_in(load, example, implementing, error: Exception) -> None:
    async def find_identity() -> None:
        raise error

    plugins = load("manager", example("find_identity"), implementing(find_identity=find_identity))
    with pytest.raises(type(error)):
        await plugins.find("find_identity", **asked(x_remote_user="ops"))


# -- in a Manager ----------------------------------------------------------------------------


async def test_a_manager_asks_it_for_every_request(manager, example, implementing) -> None:
    seen: list[Identity] = []

    def check_access(identity: Identity) -> list[Problem]:
        seen.append(identity)
        return []

    plugins = [example("find_identity"), implementing(check_access=check_access)]
    async with manager(plugins) as running:
        await running.client.get("/api/v3/version", headers={"X-Remote-User": "ops"})
        await running.client.get("/api/v3/version")
    assert seen == [Identity(kind="person", id="ops", name="ops"), Identity()]


async def test_it_sees_litestars_connection(manager, implementing) -> None:
    seen: list[object] = []

    async def find_identity(connection: ASGIConnection, manager: object) -> None:
        seen.append((connection.headers["x-a"], connection.url.path, manager))

    async with manager([implementing(find_identity=find_identity)]) as running:
        await running.client.get("/api/v3/version", headers={"X-A": "1"})
        assert seen == [("1", "/api/v3/version", running.manager)]


@pytest.mark.parametrize(
    ("error", "status"), [(Forbidden("wrong token"), 403), (RuntimeError("database is down"), 500)]
)
async def test_an_error_keeps_everybody_out(manager, implementing, caplog, error, status) -> None:
    def find_identity() -> None:
        raise error

    async with manager([implementing(find_identity=find_identity)]) as running:
        answer = await running.client.get("/api/v3/jobs")
    assert answer.status_code == status
    assert answer.json()["code"] == status


async def test_a_plugin_may_know_workers_as_well(manager, implementing) -> None:
    id = "1f2c5e74-7c8e-4a51-8c5d-111111111111"

    def find_identity(connection: ASGIConnection) -> Identity | None:
        known = connection.headers.get("x-certificate") == "alfa"
        return Identity(kind="worker", id=id, name="alfa") if known else None

    async with manager([implementing(find_identity=find_identity)]) as running:
        running.manager.new_id = lambda: id
        body = {"name": "alfa", "platform": "linux", "secret": "s", "supported_task_types": []}
        await running.client.post("/api/v3/worker/register-worker", json=body)
        headers = {"X-Certificate": "alfa"}
        answer = await running.client.get("/api/v3/worker/state", headers=headers)
        assert answer.status_code == 204
