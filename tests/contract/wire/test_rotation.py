"""Workers change their secrets, and the former ones count for a while."""

from __future__ import annotations

from typing import Any

import pytest

from flamenco_core.testing import FakeClock

BOTH = pytest.mark.parametrize(
    "database", [None, pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
pytestmark = BOTH
HOUR = 3600 * 1_000_000
NEW, OTHER = "9" * 64, "8" * 64


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def more(clock: FakeClock) -> dict[str, Any]:
    return {"clock": clock}


async def rotate(worker: Any, secret: str = NEW) -> Any:
    return await worker.post("rotate-secret", {"secret": secret})


async def works(worker: Any, secret: str) -> bool:
    worker.secret = secret
    status = (await worker.ask()).status_code
    assert status in {204, 403}
    return status == 204


async def test_both_secrets_count_for_a_day_and_then_the_new_one(
    go_worker: Any, clock: FakeClock
) -> None:
    worker = await go_worker().join()
    old = worker.secret
    assert (await rotate(worker)).status_code == 204
    assert await works(worker, old)
    assert await works(worker, NEW)
    clock._now += 24 * HOUR - 1
    assert await works(worker, old)
    clock._now += 1
    assert not await works(worker, old)
    assert await works(worker, NEW)


async def test_said_twice_it_changes_nothing(go_worker: Any, clock: FakeClock) -> None:
    worker = await go_worker().join()
    old = worker.secret
    await rotate(worker)
    clock._now += 23 * HOUR
    # The answer was lost: it is said again with either secret, and gives no more time.
    assert (await rotate(worker)).status_code == 204
    worker.secret = NEW
    assert (await rotate(worker)).status_code == 204
    clock._now += HOUR
    assert not await works(worker, old)
    assert await works(worker, NEW)


async def test_who_has_found_a_former_secret_cannot_lock_the_worker_out(go_worker: Any) -> None:
    worker = await go_worker("alfa").join()
    await rotate(worker)
    answer = await rotate(worker, OTHER)
    assert answer.status_code == 409
    assert "worker alfa has changed its secret already" in answer.json()["message"]
    assert await works(worker, NEW)


async def test_only_one_former_secret_counts(go_worker: Any) -> None:
    worker = await go_worker().join()
    first = worker.secret
    await rotate(worker)
    worker.secret = NEW
    await rotate(worker, OTHER)
    assert not await works(worker, first)
    assert await works(worker, NEW)
    assert await works(worker, OTHER)


async def test_a_short_secret_is_refused(go_worker: Any) -> None:
    worker = await go_worker().join()
    for secret in ("", "x" * 31):
        assert (await rotate(worker, secret)).status_code == 400


async def test_a_stranger_changes_nothing(api: Any, go_worker: Any) -> None:
    worker = await go_worker().join()
    right, worker.secret = worker.secret, "wrong"
    assert (await rotate(worker)).status_code == 403
    assert await works(worker, right)


async def test_a_deleted_worker_is_out_with_both(api: Any, go_worker: Any) -> None:
    worker = await go_worker().join()
    old = worker.secret
    await rotate(worker)
    assert await works(worker, NEW)
    await api.client.delete(f"/api/v3/worker-mgt/workers/{worker.uuid}")
    assert not await works(worker, NEW)
    assert not await works(worker, old)


async def test_people_ask_for_it_and_every_answer_says_so_until_it_is_done(
    api: Any, go_worker: Any
) -> None:
    worker = await go_worker().join()
    mark = "flamenco-rotate-secret"
    assert mark not in (await worker.ask()).headers
    url = f"/api/v3/worker-mgt/workers/{worker.uuid}/rotate-secret"
    assert (await api.client.post(url)).status_code == 204
    assert (await worker.ask()).headers[mark] == "1"
    assert (await worker.get("state")).headers[mark] == "1"
    assert (await rotate(worker)).status_code == 204
    worker.secret = NEW
    assert mark not in (await worker.ask()).headers


async def test_nobody_is_asked_who_is_not_there(api: Any) -> None:
    nobody = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
    url = f"/api/v3/worker-mgt/workers/{nobody}/rotate-secret"
    assert (await api.client.post(url)).status_code == 404


async def test_one_that_would_wait_for_work_hears_of_it_at_once(api: Any, go_worker: Any) -> None:
    worker = await go_worker().join()
    url = f"/api/v3/worker-mgt/workers/{worker.uuid}/rotate-secret"
    await api.client.post(url)
    answer = await worker.post("task", Prefer="wait=60")
    assert answer.headers["flamenco-rotate-secret"] == "1"
    assert "preference-applied" not in answer.headers
