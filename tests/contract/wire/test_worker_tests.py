"""Workers are tested outside any job: ours, and Flamenco's own."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from wire_conversation import give_up, on_both, wish

from flamenco_core import FlamencoError, hookimpl
from flamenco_core.domain.events import WorkerTested
from flamenco_core.offers import CommandToRun, Trial
from flamenco_core.testing.fake_clock import FakeClock

NOWHERE = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
pytestmark = on_both


def prove(folder: Path) -> str:
    if not (folder / "picture.png").exists():
        raise FlamencoError(f"there is no picture in {folder}")
    return "a picture"


class Painting:
    """Offers a trial that needs a picture, and one of a task type that few run."""

    @hookimpl
    def register_trials(self) -> list[Trial]:
        def commands(folder: str) -> list[CommandToRun]:
            return [CommandToRun(name="echo", parameters={"message": f"paint {folder}"})]

        return [
            Trial(
                name="paint",
                task_type="misc",
                commands=commands,
                prepare=lambda folder: (folder / "canvas.txt").touch(),
                prove=prove,
                picture="picture.png",
                version=r"Painter (\S+)",
            ),
            Trial(name="mine", task_type="mine", commands=commands),
        ]


@pytest.fixture
def plugins() -> list[object]:
    return [Painting()]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def more(clock: FakeClock) -> dict[str, Any]:
    return {"clock": clock, "blocked": {"trials"}}


@pytest.fixture
def test_of(api: Any) -> Any:
    async def ask(worker: Any, method: str = "get", status: int = 200, path: str = "") -> Any:
        url = f"/api/v3/worker-mgt/workers/{worker.uuid}/test{path}"
        answer = await api.client.request(method, url)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    return ask


def folder_of(task: dict[str, Any]) -> Path:
    return Path(task["commands"][0]["parameters"]["message"].removeprefix("paint "))


async def pass_trial(worker: Any, task: dict[str, Any]) -> None:
    (folder_of(task) / "picture.png").write_bytes(PNG)
    await worker.update(task, activity="Started", taskStatus="active")
    await worker.update(task, log="pid=3 > Painter 2.1\n")
    answer = await worker.update(task, taskStatus="completed", activity="Completed")
    assert answer.status_code == 204, answer.text


# -- a test ----------------------------------------------------------------------------------


async def test_flamencos_own_worker_passes_it_as_if_it_were_a_task(
    api: Any, go_worker: Any, test_of: Any, clock: FakeClock
) -> None:
    worker = await go_worker().join()
    asked = await test_of(worker, "post")
    assert (asked["status"], asked["waits_for"]) == ("queued", "the end of its present task")
    task = (await worker.ask()).json()
    assert (task["task_type"], task["name"], task["epoch"]) == ("misc", "test: paint", 1)
    folder = folder_of(task)
    assert (folder / "canvas.txt").exists()
    assert (await worker.may_i_run(task))["mayKeepRunning"]
    clock._now += 2_500_000
    await pass_trial(worker, task)
    found = await test_of(worker)
    assert found["status"] == "passed"
    paint, mine = found["trials"]
    assert (paint["status"], paint["message"]) == ("passed", "a picture")
    assert (paint["seconds"], paint["version"]) == (2.5, "2.1")
    assert paint["log"] == "pid=3 > Painter 2.1\n"
    assert (mine["status"], mine["message"]) == (
        "skipped",
        "the worker does not run tasks of type 'mine'",
    )
    picture = await api.client.get(paint["picture"])
    assert (picture.content, picture.headers["content-type"]) == (PNG, "image/png")
    assert not folder.parent.exists()
    assert (await worker.ask()).status_code == 204


async def test_it_is_no_job_and_comes_before_the_next_task(
    api: Any, go_worker: Any, test_of: Any, jobs: Any
) -> None:
    worker = await go_worker().join()
    job = await jobs(0)
    task = (await worker.ask()).json()
    await test_of(worker, "post")
    again = (await worker.ask()).json()
    assert again["uuid"] == task["uuid"]  # what it holds comes first
    await worker.update(task, taskStatus="completed")
    second = await jobs(0)
    trial = (await worker.ask()).json()
    assert trial["job_type"] == "worker-test"
    listed = (await api.client.get("/api/v3/jobs")).json()["jobs"]
    assert {found["id"] for found in listed} == {job, second}
    await pass_trial(worker, trial)
    assert (await worker.ask()).json()["job"] == second
    shown = (await api.client.get(f"/api/v3/worker-mgt/workers/{worker.uuid}")).json()
    assert shown["task"]["job_id"] == second


async def test_a_worker_that_says_it_is_done_but_has_another_storage_fails(
    go_worker: Any, test_of: Any
) -> None:
    worker = await go_worker().join()
    await test_of(worker, "post")
    task = (await worker.ask()).json()
    await worker.update(task, taskStatus="completed")
    found = await test_of(worker)
    assert found["status"] == "failed"
    assert found["trials"][0]["message"].startswith("there is no picture in /")
    assert "picture" not in found["trials"][0]


async def test_what_the_worker_says_of_its_failure_is_shown(go_worker: Any, test_of: Any) -> None:
    worker = await go_worker().join()
    await test_of(worker, "post")
    task = (await worker.ask()).json()
    await worker.update(task, log="Painter 1.0\nout of paint\n")
    await worker.update(task, taskStatus="failed", activity="Failed: exit code 1")
    trial = (await test_of(worker))["trials"][0]
    assert (trial["message"], trial["version"]) == ("Failed: exit code 1", "1.0")
    assert trial["log"].endswith("out of paint\n")


async def test_people_hear_of_the_end(api: Any, go_worker: Any, test_of: Any) -> None:
    worker = await go_worker().join()
    test = await test_of(worker, "post")
    events = api.manager.bus.subscribe()
    await pass_trial(worker, (await worker.ask()).json())
    event = (await events.next(5)).event
    assert isinstance(event, WorkerTested)
    assert (event.test_id, event.status) == (test["id"], "passed")


async def test_an_image_of_a_trial_is_taken_and_not_shown_as_rendered(
    api: Any, go_worker: Any, test_of: Any
) -> None:
    worker = await go_worker().join()
    await test_of(worker, "post")
    task = (await worker.ask()).json()
    url = f"/api/v3/worker/task/{task['uuid']}/output-produced"
    headers = {"Authorization": worker.auth, "Content-Type": "image/png"}
    answer = await api.client.post(url, content=PNG, headers=headers)
    assert answer.status_code == 202
    assert (await api.client.get("/api/v3/jobs/last-rendered")).status_code == 204


# -- runs that are lost, late or repeated --------------------------------------------------------


async def test_one_that_waits_for_work_is_woken(api: Any, go_worker: Any, test_of: Any) -> None:
    worker = await go_worker().join()
    await test_of(worker, "post")
    task = (await worker.post("task", Prefer="wait=30")).json()
    assert task["name"] == "test: paint"


async def test_a_worker_that_has_lost_it_gets_it_again_but_not_for_ever(
    go_worker: Any, test_of: Any
) -> None:
    worker = await go_worker().join()
    await test_of(worker, "post")
    epochs = [(await worker.ask()).json()["epoch"] for _ in range(5)]
    assert epochs == [1, 2, 3, 4, 5]
    assert (await worker.ask()).status_code == 204
    assert "never ended" in (await test_of(worker))["trials"][0]["message"]


async def test_a_message_of_an_earlier_run_is_refused_and_a_repeated_one_is_not_counted(
    go_worker: Any, test_of: Any
) -> None:
    worker = await go_worker().join()
    await test_of(worker, "post")
    await worker.ask()
    task = (await worker.ask()).json()
    late = await worker.update(task, taskStatus="failed", epoch=1, seq=9)
    assert late.status_code == 409
    for _ in range(2):
        assert (await worker.update(task, log="once\n", epoch=2, seq=1)).status_code == 204
    for _ in range(2):
        last = await worker.update(task, taskStatus="failed", activity="no", epoch=2, seq=2)
        assert last.status_code == 204
    trial = (await test_of(worker))["trials"][0]
    assert (trial["log"], trial["message"]) == ("once\n", "no")


async def test_nobody_speaks_for_another_workers_trial(go_worker: Any, test_of: Any) -> None:
    worker = await go_worker().join()
    other = await go_worker("other", secret="6" * 64).join()
    await test_of(worker, "post")
    task = (await worker.ask()).json()
    assert (await other.update(task, taskStatus="completed")).status_code == 404
    assert not (await other.may_i_run(task))["mayKeepRunning"]


async def test_a_worker_that_goes_to_sleep_is_tested_when_it_is_awake_again(
    api: Any, go_worker: Any, test_of: Any
) -> None:
    worker = await go_worker().join()
    await test_of(worker, "post")
    task = (await worker.ask()).json()
    await wish(api, worker, "asleep")
    assert (await worker.may_i_run(task))["statusChangeRequested"]
    await worker.update(task, taskStatus="queued", activity="")
    await worker.post("state-changed", {"status": "asleep"})
    found = await test_of(worker)
    assert found["waits_for"] == "the worker to be awake; it is asleep"
    await worker.post("state-changed", {"status": "awake"})
    assert (await worker.ask()).json()["uuid"] == task["uuid"]


async def test_a_test_of_a_worker_that_is_lost_ends_by_itself(
    api: Any, go_worker: Any, test_of: Any, clock: FakeClock
) -> None:
    worker = await go_worker().join()
    await test_of(worker, "post")
    folder = folder_of((await worker.ask()).json())
    await give_up(api, worker)
    await api.manager.trials.look()
    assert (await test_of(worker))["status"] == "active"
    clock._now += 16 * 60_000_000
    await api.manager.trials.look()
    found = await test_of(worker)
    assert found["trials"][0]["message"] == "it did not end within 15 minutes"
    assert not folder.parent.exists()


async def test_one_that_nobody_comes_for_ends_after_a_day_and_is_forgotten_after_a_month(
    api: Any, go_worker: Any, test_of: Any, clock: FakeClock
) -> None:
    worker = await go_worker().join()
    await test_of(worker, "post")
    clock._now += 25 * 3600 * 1_000_000
    await api.manager.trials.look()
    assert "within a day" in (await test_of(worker))["trials"][0]["message"]
    clock._now += 31 * 24 * 3600 * 1_000_000
    await api.manager.trials.look()
    answer = await test_of(worker, status=404)
    assert "was not tested yet" in answer["message"]


# -- refusals ------------------------------------------------------------------------------------


async def test_a_second_one_has_to_wait_and_can_follow_once_the_first_is_withdrawn(
    go_worker: Any, test_of: Any
) -> None:
    worker = await go_worker().join()
    await test_of(worker, "post")
    task = (await worker.ask()).json()
    assert "tested already" in (await test_of(worker, "post", 409))["message"]
    await test_of(worker, "delete", 204)
    assert (await test_of(worker))["status"] == "canceled"
    may = await worker.may_i_run(task)
    assert (may["mayKeepRunning"], may["reason"]) == (
        False,
        'task is in non-runnable status "canceled"',
    )
    assert (await worker.update(task, taskStatus="completed")).status_code == 409
    await test_of(worker, "delete", 204)
    await test_of(worker, "post")


async def test_a_worker_that_is_not_there_leaves_no_files(api: Any, go_worker: Any) -> None:
    for path in ("test", "test/paint/picture"):
        url = f"/api/v3/worker-mgt/workers/{NOWHERE}/{path}"
        assert (await api.client.get(url)).status_code == 404
    answer = await api.client.post(f"/api/v3/worker-mgt/workers/{NOWHERE}/test")
    assert answer.status_code == 404
    folder = Path(api.manager.storage.location) / ".worker-tests"
    assert [*folder.iterdir()] == []


async def test_a_storage_that_cannot_be_written_to_is_named(
    api: Any, go_worker: Any, test_of: Any
) -> None:
    worker = await go_worker().join()
    (Path(api.manager.storage.location) / ".worker-tests").touch()
    assert "job storage" in (await test_of(worker, "post", 409))["message"]


async def test_no_picture_is_not_found(go_worker: Any, test_of: Any) -> None:
    worker = await go_worker().join()
    await test_of(worker, "post")
    assert "'mine'" in (await test_of(worker, status=404, path="/mine/picture"))["message"]


async def test_an_unknown_task_is_still_unknown(go_worker: Any) -> None:
    worker = await go_worker().join()
    answer = await worker.update({"uuid": NOWHERE}, taskStatus="completed")
    assert answer.status_code == 404
    assert NOWHERE in answer.json()["message"]
