"""What a Worker does in each state, and how it gets there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import anyio
import pytest

from flamenco_core import Problem, hookimpl
from flamenco_core.domain.statuses import TaskStatus, WorkerStatus
from flamenco_core.testing import FakeManager, a_task
from flamenco_core.worker.credentials import Credentials, CredentialsFile

ASLEEP, AWAKE = WorkerStatus.ASLEEP, WorkerStatus.AWAKE


def file_of(settings: Any) -> CredentialsFile:
    Path(settings.home).mkdir(parents=True, exist_ok=True)
    return CredentialsFile(Path(settings.home))


async def test_a_new_worker_registers_and_signs_on(
    start: Any, manager: FakeManager, settings: Any
) -> None:
    async with start(restart_exit_code=47):
        await manager.until(lambda: manager.states == [AWAKE])
    saved = file_of(settings).load()
    assert saved is not None
    assert manager.secrets == {saved.worker_id: saved.secret}
    assert re.fullmatch("[0-9a-f]{64}", saved.secret)
    (sign_on,) = manager.signed_on
    assert sign_on["name"] == "alfa"
    assert sign_on["supported_task_types"] == ["blender", "ffmpeg", "file-management", "misc"]
    assert sign_on["can_restart"] is True


async def test_a_known_worker_keeps_its_identity(
    start: Any, manager: FakeManager, settings: Any
) -> None:
    file_of(settings).save(Credentials("worker-9", "s"))
    manager.known.add("worker-9")
    manager.secrets["worker-9"] = "s"
    async with start() as running:
        await manager.until(lambda: manager.states)
        assert running.app.worker.id == "worker-9"
    assert manager.count("register") == 0


@pytest.mark.parametrize("status", [500, 503, 429, 502])
async def test_trouble_at_sign_on_never_costs_the_identity(
    start: Any, manager: FakeManager, settings: Any, status: int
) -> None:
    file_of(settings).save(Credentials("worker-9", "s"))
    manager.trouble("sign_on", *[status] * 10)
    async with start():
        await manager.until(lambda: manager.states)
    assert manager.count("register") == 0
    assert file_of(settings).load() == Credentials("worker-9", "s")


@pytest.mark.parametrize("status", [401, 403])
async def test_a_worker_that_is_not_known_any_more_registers_anew_and_keeps_the_old_file(
    start: Any, manager: FakeManager, settings: Any, status: int
) -> None:
    file_of(settings).save(Credentials("worker-9", "s"))
    manager.trouble("sign_on", status)
    async with start():
        await manager.until(lambda: manager.states)
    assert manager.count("register") == 1
    assert file_of(settings).path.with_name(f"{file_of(settings).path.name}.refused").exists()


async def test_a_worker_that_awaits_approval_does_not_register_again_and_again(
    start: Any, manager: FakeManager
) -> None:
    manager.trouble("sign_on", *[403] * 10)
    async with start():
        await manager.until(lambda: manager.states)
    assert manager.count("sign_on") == 11
    assert manager.count("register") == 1


async def test_registration_is_tried_again(start: Any, manager: FakeManager) -> None:
    manager.trouble("register", 503, 500, 400)
    async with start():
        await manager.until(lambda: manager.states)
    assert manager.count("register") == 4


async def test_a_manager_that_is_away_is_waited_for(start: Any, manager: FakeManager) -> None:
    manager.away = True
    async with start():
        await anyio.wait_all_tasks_blocked()
        manager.away = False
        await manager.until(lambda: manager.states == [AWAKE])


async def test_a_worker_falls_asleep_and_wakes_when_asked_to(
    start: Any, manager: FakeManager
) -> None:
    async with start():
        await manager.until(lambda: manager.count("schedule"))
        manager.ask_for(ASLEEP)
        await manager.until(lambda: manager.states == [AWAKE, ASLEEP])
        manager.ask_for(AWAKE)
        await manager.until(lambda: manager.states == [AWAKE, ASLEEP, AWAKE])


@pytest.mark.parametrize("status", [WorkerStatus.ERROR, WorkerStatus.TESTING])
async def test_states_that_cannot_be_had_are_slept_through(
    start: Any, manager: FakeManager, status: WorkerStatus
) -> None:
    manager.first_status = status
    async with start():
        await manager.until(lambda: manager.states == [ASLEEP])
        await manager.until(lambda: manager.count("state") > 2)
    assert manager.count("schedule") == 0


@pytest.mark.parametrize(("asked", "code"), [("offline", 0), ("restart", 47)])
@pytest.mark.parametrize("asleep", [True, False])
async def test_a_worker_goes_when_asked_to(
    start: Any, manager: FakeManager, asked: str, code: int, asleep: bool
) -> None:
    manager.first_status = ASLEEP if asleep else AWAKE
    async with start(restart_exit_code=47) as running:
        await manager.until(lambda: manager.states)
        manager.ask_for(WorkerStatus(asked))
        await running.ended.wait()
    assert running.code == code
    assert manager.calls[-1][0] == "sign_off"


async def test_a_403_while_working_leads_to_a_new_sign_on(start: Any, manager: FakeManager) -> None:
    manager.trouble("schedule", 403)
    async with start():
        await manager.until(lambda: manager.count("sign_on") == 2)
        await manager.until(lambda: manager.count("schedule") == 2)
    assert manager.count("register") == 1


async def test_a_worker_that_was_taken_for_lost_says_that_it_is_awake(
    start: Any, manager: FakeManager
) -> None:
    manager.trouble("schedule", 409)
    async with start():
        await manager.until(lambda: manager.states == [AWAKE, AWAKE])
        manager.give(a_task())
        await manager.until(lambda: TaskStatus.COMPLETED in manager.statuses_of("task-1"))


@pytest.mark.parametrize("status", [500, 503, 404, 418])
async def test_trouble_while_asking_for_work_passes(
    start: Any, manager: FakeManager, status: int
) -> None:
    manager.trouble("schedule", *[status] * 5)
    manager.give(a_task())
    async with start():
        await manager.until(lambda: TaskStatus.COMPLETED in manager.statuses_of("task-1"))


async def test_saying_the_state_is_tried_until_it_is_heard(
    start: Any, manager: FakeManager
) -> None:
    manager.trouble("state_changed", 503, 500)
    async with start():
        await manager.until(lambda: manager.states == [AWAKE])
        await manager.until(lambda: manager.count("schedule"))
    order = [name for name, _ in manager.calls]
    assert order.index("schedule") > order.index("state_changed") + 2


async def test_an_old_manager_is_asked_again_and_again(start: Any, manager: FakeManager) -> None:
    manager.holds = False
    async with start():
        await manager.until(lambda: manager.count("schedule") > 5)
        manager.give(a_task(), a_task(uuid="task-2"))
        await manager.until(lambda: TaskStatus.COMPLETED in manager.statuses_of("task-2"))


async def test_an_idle_worker_does_not_ask_a_manager_that_holds_its_question(
    start: Any, manager: FakeManager
) -> None:
    async with start():
        await manager.until(lambda: manager.count("schedule"))
        for number in range(5):
            manager.give(a_task(uuid=f"task-{number}"))
            await manager.until(
                lambda n=number: TaskStatus.COMPLETED in manager.statuses_of(f"task-{n}")
            )
        await manager.until(lambda: manager.count("schedule") == 6)


async def test_the_next_task_comes_with_the_report_of_the_last(
    start: Any, manager: FakeManager
) -> None:
    manager.give(*[a_task(uuid=f"task-{n}") for n in range(20)])
    async with start():
        await manager.until(lambda: TaskStatus.COMPLETED in manager.statuses_of("task-19"))
        await manager.until(lambda: manager.count("schedule") == 2)
    # One question for the first task; the others came unasked.
    assert len([1 for _, headers in manager.calls if "next-task" in headers.values()]) == 20


async def test_work_is_asked_for_only_when_all_is_reported(
    start: Any, manager: FakeManager
) -> None:
    manager.holds = False
    manager.trouble("update", *[503] * 6)
    manager.give(a_task())
    async with start():
        await manager.until(lambda: TaskStatus.COMPLETED in manager.statuses_of("task-1"))
    order = [name for name, _ in manager.calls]
    assert order.count("schedule") - order[: order.index("update")].count("schedule") <= 1
    first, last = order.index("update"), len(order) - order[::-1].index("update")
    assert "schedule" not in order[first:last]


class Checks:
    """A plugin that is not ready as long as it has problems."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = list(problems)
        self.asked = 0

    @hookimpl
    def check_readiness(self) -> list[Problem]:
        self.asked += 1
        if self.asked > 3:
            self.problems.clear()
        return list(self.problems)


async def test_a_problem_with_everything_keeps_a_worker_from_signing_on(
    start: Any, manager: FakeManager
) -> None:
    checks = Checks(Problem("the share is not mounted"))
    async with start([checks]):
        await manager.until(lambda: manager.states)
    assert checks.asked == 4
    assert manager.count("sign_on") == 1


async def test_a_problem_with_some_tasks_takes_away_only_these(
    start: Any, manager: FakeManager
) -> None:
    checks = Checks(Problem("no Blender here", affects=("blender",)))
    async with start([checks]):
        await manager.until(lambda: manager.states)
    assert manager.signed_on[0]["supported_task_types"] == ["ffmpeg", "file-management", "misc"]


async def test_a_worker_that_can_run_nothing_waits(start: Any, manager: FakeManager) -> None:
    checks = Checks(Problem("no Blender here", affects=("blender",)))
    async with start([checks], task_types=["blender"]):
        await manager.until(lambda: manager.states)
    assert checks.asked == 4


def test_all_pauses_are_shorter_than_the_managers_worker_timeout() -> None:
    from flamenco_core.worker.settings import Timings

    timings = Timings()
    longest = max(timings.idle_pause_longest, timings.retry_pause_longest) * 1.2
    # Four missed beats for a Manager that knows of beats, a minute for Flamenco's own.
    assert longest < 4 * timings.heartbeat
    assert longest + timings.request < 60
    assert timings.long_wait < 60
