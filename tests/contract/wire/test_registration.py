"""Who may join, and how long what opens the door counts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from wire_registration import REGISTER, SECRET, TOKENS, make, only, register, workers

from flamenco_core.testing import FakeClock

BOTH = pytest.mark.parametrize(
    "database", [None, pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
pytestmark = BOTH
SECOND = 1_000_000
REFUSED = "security requirements failed: "


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def more(clock: FakeClock) -> dict[str, Any]:
    return {"clock": clock}


@pytest.fixture
def settings() -> dict[str, Any]:
    return only("token", secret=SECRET)


async def test_with_a_token_a_machine_joins_and_gets_its_tag(api: Any) -> None:
    tag = {"name": "gpu", "id": "1f2c5e74-7c8e-4a51-8c5d-222222222222"}
    await api.client.post("/api/v3/worker-mgt/tags", json=tag)
    answer = await register(api.client, await make(api, tag="gpu"))
    assert answer.status_code == 200, answer.text
    shown = await api.client.get(f"/api/v3/worker-mgt/workers/{answer.json()['uuid']}")
    assert [tag["name"] for tag in shown.json()["tags"]] == ["gpu"]


async def test_with_the_shared_secret_as_well(api: Any) -> None:
    assert (await register(api.client, SECRET)).status_code == 200


@pytest.mark.parametrize("shown", [None, "", "x", "Bearer", SECRET[:-1], f"{SECRET} "])
async def test_without_either_nobody_joins(api: Any, shown: str | None) -> None:
    answer = await register(api.client, shown)
    # Spaces around what was copied are not a part of it.
    expected = 200 if shown is not None and shown.strip() == SECRET else 403
    assert answer.status_code == expected
    if expected == 403:
        assert answer.json()["message"].startswith(REFUSED)
        assert "worker-token create" in answer.json()["message"]
        assert await workers(api) == {}


async def test_a_token_is_for_so_many_machines(api: Any) -> None:
    token = await make(api, uses=2)
    for name in ("alfa", "beta"):
        assert (await register(api.client, token, name)).status_code == 200
    answer = await register(api.client, token, "cove")
    assert answer.status_code == 403
    assert "is used up, it was for 2 Workers" in answer.json()["message"]
    assert set(await workers(api)) == {"alfa", "beta"}


async def test_of_two_that_want_the_last_use_one_joins(api: Any) -> None:
    token = await make(api, uses=5)
    answers = await asyncio.gather(
        *(register(api.client, token, f"worker-{number}") for number in range(12))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [403] * 7
    assert len(await workers(api)) == 5
    (listed,) = (await api.client.get(TOKENS)).json()["tokens"]
    assert (listed["used"], listed["status"]) == (5, "used up")


async def test_a_token_counts_for_a_time(api: Any, clock: FakeClock) -> None:
    token = await make(api, ttl_seconds=60)
    clock._now += 61 * SECOND
    answer = await register(api.client, token)
    assert answer.status_code == 403
    assert "is too old, it counted until " in answer.json()["message"]
    assert (await api.client.get(TOKENS)).json()["tokens"][0]["status"] == "expired"
    clock._now += 31 * 24 * 3600 * SECOND
    assert (await api.client.get(TOKENS)).json()["tokens"] == []


async def test_a_revoked_token_opens_nothing_and_whoever_is_in_stays(
    api: Any, go_worker: Any
) -> None:
    token = await make(api, uses=9)
    worker = go_worker("alfa")
    answer = await register(api.client, token, "alfa")
    worker.uuid, worker.secret = answer.json()["uuid"], "alfa".ljust(64, "7")
    id = token.split("_")[2]
    for _ in range(2):
        assert (await api.client.delete(f"{TOKENS}/{id}")).status_code == 204
    answer = await register(api.client, token, "beta")
    assert answer.status_code == 403
    assert "was revoked" in answer.json()["message"]
    assert (await worker.sign_on()).status_code == 200
    assert (await api.client.get(TOKENS)).json()["tokens"][0]["status"] == "revoked"


async def test_wrong_wishes_are_refused(api: Any) -> None:
    for body in (
        {"ttl_seconds": 0},
        {"ttl_seconds": 367 * 24 * 3600},
        {"uses": 0},
        {"uses": 100_001},
        {"uses": "many"},
    ):
        assert (await api.client.post(TOKENS, json=body)).status_code == 400, body
    answer = await api.client.post(TOKENS, json={"tag": "nothing"})
    assert answer.status_code == 404
    assert (
        answer.json()["message"]
        == "there is no worker tag 'nothing'; 'flamenco apply' makes tags, from a file"
    )
    answer = await api.client.delete(f"{TOKENS}/nothing")
    assert answer.status_code == 404
    assert "worker-token list" in answer.json()["message"]


async def test_a_tag_that_is_gone_does_not_keep_a_machine_out(api: Any) -> None:
    tag = {"name": "gpu", "id": "1f2c5e74-7c8e-4a51-8c5d-222222222222"}
    await api.client.post("/api/v3/worker-mgt/tags", json=tag)
    token = await make(api, tag="gpu")
    await api.client.delete(f"/api/v3/worker-mgt/tag/{tag['id']}")
    assert (await register(api.client, token)).status_code == 200


# -- Flamenco's own Workers --------------------------------------------------------------------


async def test_flamencos_own_worker_joins_by_its_managers_address(api: Any, jobs: Any) -> None:
    token = await make(api)
    await jobs(0)
    door = f"/join/{token}"
    body = {
        "name": "go",
        "platform": "linux",
        "secret": "5" * 64,
        "supported_task_types": ["misc"],
    }
    answer = await api.client.post(f"{door}{REGISTER}", json=body, auth=("", ""))
    assert answer.status_code == 200
    who = (answer.json()["uuid"], "5" * 64)
    body = {"name": "go", "supported_task_types": ["misc"], "software_version": "3.9"}
    answer = await api.client.post(f"{door}/api/v3/worker/sign-on", json=body, auth=who)
    assert answer.json() == {"status_requested": "awake"}
    said = {"status": "awake"}
    await api.client.post(f"{door}/api/v3/worker/state-changed", json=said, auth=who)
    answer = await api.client.post(f"{door}/api/v3/worker/task", auth=who)
    assert answer.status_code == 200


async def test_the_shared_secret_may_stand_in_the_address(api: Any) -> None:
    door = f"/join/{SECRET.replace(' ', '%20')}{REGISTER}"
    answer = await api.client.post(door, json={**_body(), "name": "go"}, auth=("", ""))
    assert answer.status_code == 200


def _body() -> dict[str, Any]:
    return {"platform": "linux", "secret": "5" * 64, "supported_task_types": ["misc"]}


async def test_the_address_opens_nothing_but_the_door(api: Any) -> None:
    door = f"/join/{await make(api)}"
    answer = await api.client.post(f"{door}/api/v3/worker/task")
    assert answer.status_code == 403
    assert (await api.client.get(f"{door}/api/v3/version")).status_code == 200


@pytest.mark.parametrize("path", ["/join/", "/join/x", "/join//", "/join/x/", "/join/x/y"])
async def test_an_address_that_leads_nowhere_is_no_page(api: Any, path: str) -> None:
    api.client.event_hooks["response"].clear()
    assert (await api.client.get(path)).status_code == 404


# -- an answer that is lost --------------------------------------------------------------------


async def test_who_asks_again_from_the_same_machine_is_the_same_worker(api: Any) -> None:
    token = await make(api)
    first = await register(api.client, token, machine="m1")
    again = await register(api.client, token, machine="m1")
    assert first.json()["uuid"] == again.json()["uuid"]
    assert len(await workers(api)) == 1


async def test_another_secret_or_machine_is_another_worker(api: Any) -> None:
    token = await make(api, uses=3)
    await register(api.client, token, machine="m1")
    assert (await register(api.client, token, machine="m2")).status_code == 200
    answer = await register(api.client, token, machine="m1", secret="8" * 64)
    assert answer.status_code == 200
    assert len((await api.client.get("/api/v3/worker-mgt/workers")).json()["workers"]) == 3


async def test_a_number_of_a_machine_has_an_end(api: Any) -> None:
    answer = await register(api.client, await make(api), machine="m" * 101)
    assert answer.status_code == 400
