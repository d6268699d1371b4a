"""What our own Worker says beyond Flamenco's; the main course on both databases."""

from __future__ import annotations

import asyncio

import pytest

on_both = pytest.mark.parametrize(
    "database",
    [pytest.param(None, id="sqlite"), pytest.param("postgresql", marks=pytest.mark.postgresql)],
    indirect=True,
)


async def waiting(api, count: int = 1) -> None:
    async with asyncio.timeout(5):
        while len(api.manager.doorbell) < count:
            await asyncio.sleep(0)


@on_both
async def test_completed_and_next_are_one_round_trip(api, go_worker, jobs) -> None:
    worker, job = await go_worker().join(), await jobs(1)
    task = (await worker.ask()).json()
    said = {"epoch": task["epoch"], "taskStatus": "active", "seq": 1}
    assert (await worker.post(f"task/{task['uuid']}", said)).status_code == 204
    said = {"epoch": task["epoch"], "taskStatus": "completed", "seq": 2, "log": "done\n"}
    said["log_offset"] = 0
    answer = await worker.post(f"task/{task['uuid']}", said, Prefer="next-task")
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "next-task"
    following = answer.json()
    assert following["name"] == "sleep"
    assert "done\n" in await api.log(task["uuid"])

    said = {"epoch": following["epoch"], "taskStatus": "completed", "seq": 1}
    answer = await worker.post(f"task/{following['uuid']}", said, Prefer="next-task")
    assert answer.status_code == 204
    assert (await api.job(job))["status"] == "completed"


async def test_a_repeated_message_changes_nothing(api, go_worker, jobs) -> None:
    worker = await go_worker().join()
    await jobs(1)
    task = (await worker.ask()).json()
    said = {"epoch": task["epoch"], "seq": 1, "log": "one\n", "log_offset": 0, "activity": "a"}
    for _ in range(3):
        assert (await worker.update(task, **said)).status_code == 204
    assert (await api.log(task["uuid"])).count("one\n") == 1
    said = {"epoch": task["epoch"], "seq": 2, "taskStatus": "completed"}
    for _ in range(2):
        assert (await worker.update(task, **said)).status_code == 204


async def test_a_message_of_an_old_run_answers_409(go_worker, jobs) -> None:
    worker = await go_worker().join()
    await jobs(0)
    task = (await worker.ask()).json()
    old = task["epoch"] - 1
    assert (await worker.update(task, epoch=old, taskStatus="completed")).status_code == 409
    answer = await worker.post(
        f"task/{task['uuid']}", {"epoch": old, "taskStatus": "failed"}, Prefer="next-task"
    )
    assert answer.status_code == 409
    assert (await worker.update(task, epoch=old, log="late")).status_code == 409


@on_both
async def test_who_waits_gets_the_task_when_there_is_one(api, go_worker, jobs) -> None:
    worker = await go_worker().join()
    asked = asyncio.create_task(worker.post("task", Prefer="wait=30"))
    await waiting(api)
    job = await jobs(0)
    async with asyncio.timeout(5):
        assert (await asked).json()["job"] == job


async def test_a_worker_that_is_deleted_does_not_wait_on(api, go_worker) -> None:
    worker = await go_worker().join()
    asked = asyncio.create_task(worker.post("task", Prefer="wait=30"))
    await waiting(api)
    url = f"/api/v3/worker-mgt/workers/{worker.uuid}"
    assert (await api.client.delete(url)).status_code == 204
    async with asyncio.timeout(5):
        assert (await asked).status_code in {204, 403, 404}
    assert (await worker.ask()).status_code == 403


async def test_who_waits_in_vain_is_told_so(go_worker) -> None:
    worker = await go_worker().join()
    answer = await worker.post("task", Prefer="wait=1")
    assert answer.status_code == 204
    assert answer.headers["preference-applied"] == "wait"


@pytest.mark.parametrize("wish", ["wait=0", "wait=-1", "wait=1e3", "wait=\xb2", "wait", "", "x"])
async def test_a_wish_that_makes_no_sense_is_no_wish(go_worker, wish: str) -> None:
    worker = await go_worker().join()
    async with asyncio.timeout(5):
        answer = await worker.client.post(
            "/api/v3/worker/task",
            headers={"Authorization": worker.auth, "Prefer": wish.encode("latin-1")},
        )
    assert answer.status_code == 204
    assert "preference-applied" not in answer.headers


async def test_a_wish_for_the_worker_ends_its_waiting(api, go_worker) -> None:
    worker = await go_worker().join()
    asked = asyncio.create_task(worker.post("task", Prefer="wait=30"))
    await waiting(api)
    url = f"/api/v3/worker-mgt/workers/{worker.uuid}/setstatus"
    await api.client.post(url, json={"status": "asleep", "is_lazy": False})
    async with asyncio.timeout(8):
        answer = await asked
    assert (answer.status_code, answer.json()) == (423, {"status_requested": "asleep"})


async def test_one_new_task_wakes_one_of_many(api, go_worker, jobs) -> None:
    workers = [await go_worker(f"w{n}").join() for n in range(4)]
    asked = [asyncio.create_task(w.post("task", Prefer="wait=30")) for w in workers]
    await waiting(api, 4)
    await jobs(0)
    async with asyncio.timeout(5):
        done, rest = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    assert [(await answer).status_code for answer in done] == [200]
    assert len(rest) == 3
    api.manager.doorbell.close()
    assert {(await answer).status_code for answer in rest} == {204}


async def test_a_task_failed_by_who_waits_longest_goes_to_the_next(api, go_worker, jobs) -> None:
    first, second = await go_worker("a").join(), await go_worker("b").join()
    await jobs(0)
    task = (await first.ask()).json()
    hold = asyncio.create_task(second.post("task", Prefer="wait=30"))
    await waiting(api)
    # The first is in line again the moment that its failure is stored.
    await first.update(task, taskStatus="failed")
    async with asyncio.timeout(8):
        assert (await hold).json()["uuid"] == task["uuid"]


@on_both
async def test_who_hangs_up_gets_no_task(api, go_worker, jobs) -> None:
    worker = await go_worker().join()
    hold = asyncio.create_task(worker.post("task", Prefer="wait=30"))
    await waiting(api)
    hold.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hold
    await asyncio.sleep(0)
    assert len(api.manager.doorbell) == 0
    job = await jobs(0)
    assert [task["status"] for task in await api.tasks(job)] == ["queued"]


async def test_asking_again_ends_the_earlier_question(api, go_worker, jobs) -> None:
    worker = await go_worker().join()
    first = asyncio.create_task(worker.post("task", Prefer="wait=30"))
    await waiting(api)
    second = asyncio.create_task(worker.post("task", Prefer="wait=30"))
    async with asyncio.timeout(5):
        assert (await first).status_code == 204
    await waiting(api)
    job = await jobs(0)
    async with asyncio.timeout(5):
        assert (await second).json()["job"] == job


@pytest.mark.parametrize("beat", ["0", "5", "99999999999999999999", "\xb3", "-1", "soon"])
async def test_any_heartbeat_is_taken(go_worker, beat: str) -> None:
    worker = await go_worker().join()
    headers = {"Authorization": worker.auth, "Flamenco-Heartbeat": beat.encode("latin-1")}
    answer = await worker.client.post("/api/v3/worker/task", headers=headers)
    assert answer.status_code == 204


@pytest.mark.parametrize(
    "said",
    [
        {"log_offset": -1, "log": "x"},
        {"seq": 2**63},
        {"epoch": 2**70},
        {"steps_completed": 2**64},
        {"steps_completed": 1.0},
        {"taskStatus": "done"},
        {"log": 5},
    ],
)
async def test_an_update_that_makes_no_sense_is_refused(go_worker, jobs, said) -> None:
    worker = await go_worker().join()
    await jobs(0)
    task = (await worker.ask()).json()
    assert (await worker.update(task, **{"activity": "a", **said})).status_code == 400


async def test_a_log_far_behind_its_end_is_not_lost(api, go_worker, jobs) -> None:
    worker = await go_worker().join()
    await jobs(0)
    task = (await worker.ask()).json()
    said = {"epoch": task["epoch"], "log": "here\n", "log_offset": 2**62}
    assert (await worker.update(task, **said)).status_code == 204
    log = await api.log(task["uuid"])
    assert "here\n" in log
    assert len(log) < 1000
