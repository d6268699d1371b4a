from __future__ import annotations

from typing import Any

import pytest
from httpx import BasicAuth

from flamenco_core.domain.scheduling import Candidate, WorkerAtWork
from flamenco_core.plugins import Plugins
from flamenco_core.testing import RunningManager


def candidate(name: str) -> Candidate:
    return Candidate(
        task_id=name,
        task_name="render",
        task_type="blender",
        task_priority=50,
        job_id=name,
        job_name=name,
        job_type="greet",
        job_priority=50,
    )


def worker(name: str) -> WorkerAtWork:
    return WorkerAtWork(id="1", name=name, platform="linux", task_types=("blender",))


CALM, URGENT = candidate("calm"), candidate("urgent one")


@pytest.mark.parametrize(
    ("name", "candidates", "chosen"),
    [
        ("fast-1", (CALM, URGENT), URGENT),
        ("fast-1", (CALM,), None),
        ("slow-1", (CALM, URGENT), None),
        ("fast-1", (), None),
    ],
)
def test_the_example_sends_urgent_jobs_to_fast_workers(
    load, example, name: str, candidates: tuple[Candidate, ...], chosen: Candidate | None
) -> None:
    plugins = load("manager", example("choose_task"))
    found = plugins.choose("choose_task", worker=worker(name), candidates=candidates)
    assert found is chosen


def test_a_broken_choice_leaves_it_to_the_next(load, example, implementing, caplog) -> None:
    plugins: Plugins = load(
        "manager", example("choose_task"), implementing("broken", choose_task=lambda: 1 / 0)
    )
    found = plugins.choose("choose_task", worker=worker("fast-1"), candidates=(URGENT,))
    assert found is URGENT
    assert plugins["broken"].failures == 1
    assert "'broken' failed in choose_task" in caplog.text


# -- in a Manager ----------------------------------------------------------------------------


async def names_given(running: RunningManager, worker: str = "w") -> list[str]:
    """Let a worker do everything there is; return the jobs' names in order."""
    body = {"name": worker, "platform": "linux", "secret": "s", "supported_task_types": ["misc"]}
    id = (await running.client.post("/api/v3/worker/register-worker", json=body)).json()["uuid"]
    auth = BasicAuth(id, "s")

    async def post(path: str, said: object = None) -> Any:
        return await running.client.post(f"/api/v3/worker/{path}", json=said, auth=auth)

    await post("state-changed", {"status": "awake"})
    names = []
    while (answer := await post("task")).status_code == 200:
        task = answer.json()
        names.append((await running.job(task["job"]))["name"])
        await post(f"task/{task['uuid']}", {"taskStatus": "completed"})
    return names


async def submit(running: RunningManager, *names: str) -> None:
    for name in names:
        settings = {"message": "x", "sleep_repeats": 0}
        await running.submit("echo-sleep-test", settings, name=name)


async def test_a_manager_follows_it(manager, example) -> None:
    async with manager([example("choose_task")]) as running:
        await submit(running, "calm", "urgent one")
        assert (await names_given(running, "fast-1"))[0] == "urgent one"


async def test_without_a_word_it_is_the_farms_order(manager, example) -> None:
    async with manager([example("choose_task")]) as running:
        await submit(running, "calm", "urgent one")
        assert (await names_given(running, "slow-1"))[0] == "calm"


@pytest.mark.parametrize(
    "nonsense", [lambda: 5, lambda: "calm", lambda: URGENT, lambda: 1 / 0, lambda: object()]
)
async def test_nonsense_and_errors_leave_the_farms_order(
    manager, implementing, caplog, nonsense
) -> None:
    async with manager([implementing("odd", choose_task=nonsense)]) as running:
        await submit(running, "first", "second")
        assert await names_given(running) == ["first", "second"]
    assert "choose_task" in caplog.text


async def test_it_sees_the_worker_and_the_candidates(manager, implementing) -> None:
    seen: list[Any] = []

    def choose_task(worker: WorkerAtWork, candidates: tuple[Candidate, ...]) -> None:
        seen.append((worker.name, [candidate.job_name for candidate in candidates]))

    async with manager([implementing(choose_task=choose_task)]) as running:
        await submit(running, "a", "b")
        await names_given(running, "alfa")
    assert seen[0] == ("alfa", ["a", "b"])
