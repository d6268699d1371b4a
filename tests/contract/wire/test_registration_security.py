"""What must not be had by guessing, measuring, reading logs, or asking from elsewhere."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest
from wire_registration import REGISTER, SECRET, TOKENS, a_worker, make, only, register, workers

from flamenco_core import tokens
from flamenco_core.manager.usecases import registration
from flamenco_core.tokens import make_token

CONFIGURATION = "/api/v3/configuration/file"


@pytest.fixture
def settings() -> dict[str, Any]:
    return only("token", secret=SECRET)


def from_elsewhere(api: Any) -> httpx.AsyncClient:
    far = httpx.ASGITransport(api.app, client=("10.1.2.3", 5))
    return httpx.AsyncClient(transport=far, base_url="http://manager.test")


async def test_an_unknown_token_takes_the_same_way_as_one_with_a_wrong_secret(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = tokens.read_token(await make(api))
    assert known is not None
    wrong = tokens.Token(kind="reg", id=known.id, secret="0" * 64)
    unknown = tokens.Token(kind="reg", id="00000000", secret="0" * 64)
    compared, answers = [], []

    def same(one: str, other: str) -> bool:
        compared.append((one, len(other)))
        return tokens.same(one, other)

    monkeypatch.setattr(registration, "same", same)
    for token in (wrong, unknown):
        answers.append((await register(api.client, token.text)).json())
    assert answers[0] == answers[1]
    assert compared[0] == compared[1]
    assert len(compared) == 2


async def test_an_unknown_worker_takes_the_same_way_as_one_with_a_wrong_secret(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = (await register(api.client, SECRET)).json()["uuid"]
    reads = []
    read = api.manager.database.read

    async def counted(fn: Any, *args: Any) -> Any:
        reads.append(fn.__name__)
        return await read(fn, *args)

    monkeypatch.setattr(api.manager.database, "read", counted)
    nobody = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
    right = {"auth": (first, "new".ljust(64, "7"))}
    assert (await api.client.get("/api/v3/worker/state", **right)).status_code == 204
    for worker in (first, nobody):
        reads.clear()
        answer = await api.client.get("/api/v3/worker/state", auth=(worker, "x"))
        assert answer.status_code == 403
        assert reads == ["credentials"]


async def test_no_secret_is_in_a_log_or_an_error(
    api: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    # The test's own client writes whole addresses, as any client may.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    token = await make(api, uses=2)
    secret = token.split("_")[3]
    answers = [await register(api.client, token, "alfa")]
    answers.append(await api.client.post(f"/join/{token}{REGISTER}", json=a_worker("beta")))
    answers.append(await register(api.client, token, "cove"))
    answers.append(await register(api.client, SECRET + "x", "cove"))
    answers.append(await api.client.post(f"/join/{SECRET}x{REGISTER}", json=a_worker("cove")))
    answers.append(await api.client.get(f"/join/{token}/api/v3/nothing"))
    answers.append(await api.client.delete(f"/join/{token}{REGISTER}"))
    answers.append(await api.client.get(TOKENS))
    monkeypatch.setattr(api.manager, "new_id", lambda: 1 / 0)
    answers.append(await api.client.post(f"/join/{token}{REGISTER}", json=a_worker("dune")))
    assert [a.status_code for a in answers] == [200, 200, 403, 403, 403, 404, 405, 200, 500]
    told = caplog.text + "".join(answer.text + str(answer.headers) for answer in answers)
    assert secret not in told
    assert SECRET not in told
    assert "division by zero" in caplog.text


async def test_the_secret_of_a_token_is_in_no_table(api: Any) -> None:
    token = await make(api)
    secret = token.split("_")[3]
    await api.client.post(REGISTER, json=a_worker(), headers={"Authorization": f"Bearer {token}"})

    raw = b"".join(
        path.read_bytes()
        for path in api.manager.settings.local_manager_storage_path.parent.glob("manager.sqlite*")
    )
    assert secret.encode() not in raw
    assert tokens.secret_hash(secret).encode() in raw


async def test_the_shared_secret_is_not_shown(api: Any) -> None:
    listed = await api.client.get("/api/v3/configuration/settings")
    assert SECRET not in listed.text
    assert SECRET not in repr(api.manager.settings)


# -- who decides -------------------------------------------------------------------------------

WORKER = "/api/v3/worker-mgt/workers/1f2c5e74-7c8e-4a51-8c5d-111111111111"
DECISIONS = [
    ("GET", TOKENS, None),
    ("POST", TOKENS, {}),
    ("DELETE", f"{TOKENS}/00000000", None),
    ("POST", f"{WORKER}/approve", {}),
    ("POST", f"{WORKER}/reject", None),
    ("POST", f"{WORKER}/rotate-secret", None),
    ("PUT", CONFIGURATION, {}),
]


@pytest.mark.parametrize(("method", "path", "body"), DECISIONS)
async def test_a_stranger_elsewhere_decides_nothing(
    api: Any, method: str, path: str, body: Any
) -> None:
    async with from_elsewhere(api) as client:
        answer = await client.request(method, path, json=body)
    assert answer.status_code == 403
    assert "at the Manager's own machine" in answer.json()["message"]
    assert (await api.client.request(method, path, json=body)).status_code != 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_nor_does_one_behind_a_proxy_on_this_machine(api: Any, header: str) -> None:
    answer = await api.client.post(TOKENS, json={}, headers={header: "10.1.2.3"})
    assert answer.status_code == 403


@pytest.mark.parametrize(("method", "path", "body"), DECISIONS)
async def test_nor_does_a_worker(api: Any, method: str, path: str, body: Any) -> None:
    worker = (await register(api.client, SECRET)).json()["uuid"]
    auth = (worker, "new".ljust(64, "7"))
    answer = await api.client.request(method, path, json=body, auth=auth)
    assert answer.status_code == 403
    assert "a Worker has no say" in answer.json()["message"]


async def test_in_an_open_farm_all_is_as_it_was(manager: Any) -> None:
    async with manager([], settings=only("open")) as api, from_elsewhere(api) as client:
        assert (await client.get(TOKENS)).status_code == 200
        assert (await register(client)).status_code == 200
        # What opened the door once does no harm while it is open.
        assert (await register(client, make_token("reg").text, "beta")).status_code == 200
        assert set(await workers(api)) == {"new", "beta"}


async def test_a_token_of_another_kind_lets_nobody_in(api: Any) -> None:
    assert (await register(api.client, make_token("api").text)).status_code == 403


@pytest.mark.parametrize("shown", ["\0", "é" * 200, "x" * 60_000, "fl_reg_" + "_" * 300])
async def test_nonsense_lets_nobody_in(api: Any, shown: str) -> None:
    api.client.event_hooks["response"].clear()
    headers = {"Authorization": f"Bearer {shown}".encode()}
    answer = await api.client.post(REGISTER, json=a_worker(), headers=headers)
    assert answer.status_code == 403


async def test_guesses_are_counted(api: Any) -> None:
    codes = set()
    async with from_elsewhere(api) as client:
        for _ in range(api.manager.settings.limits.registrations_per_minute + 1):
            codes.add((await register(client, make_token("reg").text)).status_code)
    assert codes == {403, 429}
