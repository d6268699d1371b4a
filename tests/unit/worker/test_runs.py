"""What becomes of a task on a Worker."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest

from flamenco_core import Command, CommandError, Run, hookimpl, platform
from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.testing import FakeManager, a_task
from flamenco_core.worker.process import HOME_MARK

ACTIVE, COMPLETED, FAILED = TaskStatus.ACTIVE, TaskStatus.COMPLETED, TaskStatus.FAILED

linux = pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc")


class Bench:
    """A plugin with commands for tests."""

    def __init__(self) -> None:
        bench = self
        self.started = anyio.Event()
        self.go_on = anyio.Event()
        self.cancelled = False
        self.ran: list[str] = []

        @attrs.frozen
        class Wait(Command):
            """Wait until the test says go on."""

            name = "wait"

            async def run(self, run: Run) -> None:
                bench.started.set()
                try:
                    await bench.go_on.wait()
                except BaseException:
                    bench.cancelled = True
                    raise

        @attrs.frozen
        class Crash(Command):
            """Raise something unexpected."""

            name = "crash"

            async def run(self, run: Run) -> None:
                raise ZeroDivisionError("division by zero")

        @attrs.frozen
        class Steps(Command):
            """Report steps and so on."""

            name = "steps"

            async def run(self, run: Run) -> None:
                bench.ran.append("steps")
                await run.activity("rendering")
                await run.step()
                await run.step(2)
                await run.log("äöü")
                await run.log("line two")

        self.commands = [Wait, Crash, Steps]

    @hookimpl
    def register_commands(self) -> Any:
        return self.commands


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_task_runs_and_is_reported(start: Any, manager: FakeManager, bench: Bench) -> None:
    manager.give(a_task(("echo", {"message": "hi"}), ("steps", {}), epoch=7))
    async with start([bench]):
        await manager.until(lambda: COMPLETED in manager.statuses_of("task-1"))
    updates = [u for _, u in manager.updates]
    assert updates[0].taskStatus == ACTIVE
    assert updates[0].activity == "Started"
    assert [u.seq for u in updates] == list(range(1, len(updates) + 1))
    assert {u.epoch for u in updates} == {7}
    # One step for `echo`, which reports none; three and one for `steps`.
    assert [u.steps_completed for u in updates if u.steps_completed] == [1, 2, 4, 5]
    assert updates[-1].activity == "Completed"
    assert manager.log_of("task-1") == 'echo: "hi"\näöü\nline two\n'


async def test_a_command_with_a_step_count_reports_its_own_steps(
    start: Any, manager: FakeManager, bench: Bench
) -> None:
    task = a_task(("steps", {}))
    (command,) = task.commands
    manager.give(attrs.evolve(task, commands=[attrs.evolve(command, total_step_count=3)]))
    async with start([bench]):
        await manager.until(lambda: COMPLETED in manager.statuses_of("task-1"))
    assert [u.steps_completed for _, u in manager.updates if u.steps_completed] == [1, 3]


async def test_pieces_of_the_log_say_where_they_belong(
    start: Any, manager: FakeManager, bench: Bench
) -> None:
    line = "ü" * 6000
    manager.give(a_task(*[("echo", {"message": line})] * 4))
    async with start([bench]):
        await manager.until(lambda: COMPLETED in manager.statuses_of("task-1"))
    offset = 0
    logs = [u for _, u in manager.updates if u.log]
    assert len(logs) >= 2
    for update in logs:
        assert update.log_offset == offset
        offset += len((update.log or "").encode())


async def test_a_task_without_commands_completes(start: Any, manager: FakeManager) -> None:
    manager.give(a_task())
    async with start():
        await manager.until(lambda: manager.statuses_of("task-1") == [ACTIVE, COMPLETED])


async def test_a_manager_without_epochs_is_sent_none(start: Any, manager: FakeManager) -> None:
    manager.holds = False
    manager.give(a_task(("echo", {"message": 1}), epoch=None))
    async with start():
        await manager.until(lambda: COMPLETED in manager.statuses_of("task-1"))
    for _, update in manager.updates:
        assert (update.epoch, update.seq, update.log_offset) == (None, None, None)


@pytest.mark.parametrize(
    ("command", "parameters", "reason"),
    [
        ("dance", {}, 'unknown command: "dance"'),
        ("echo", {}, 'echo: mandatory parameter "message" is missing'),
        (
            "sleep",
            {"duration_in_seconds": "3"},
            'sleep: parameter "duration_in_seconds" has invalid value "3": must be a number',
        ),
        ("echo", {"message": 1, "loud": True}, 'echo: there is no parameter "loud"'),
        ("exec", {"exe": "sh"}, 'unknown command: "exec"'),
        ("crash", {}, "ZeroDivisionError: division by zero"),
    ],
)
async def test_a_task_that_cannot_run_fails_and_says_why(
    start: Any,
    manager: FakeManager,
    bench: Bench,
    command: str,
    parameters: dict[str, Any],
    reason: str,
) -> None:
    manager.give(a_task((command, parameters)))
    async with start([bench]):
        await manager.until(lambda: FAILED in manager.statuses_of("task-1"))
    last = manager.updates[-1][1]
    assert (last.activity or "").startswith(f"Failed: {reason}")
    assert f"Failed: {reason}" in (last.log or "")


async def test_a_slip_in_the_last_command_shows_before_the_first_runs(
    start: Any, manager: FakeManager, bench: Bench
) -> None:
    manager.give(a_task(("steps", {}), ("echo", {})))
    async with start([bench]):
        await manager.until(lambda: FAILED in manager.statuses_of("task-1"))
    assert bench.ran == []


async def test_only_allowed_commands_run(start: Any, manager: FakeManager) -> None:
    manager.give(a_task(("echo", {"message": 1})), a_task(("sleep", {"duration_in_seconds": 0})))
    async with start(commands=["sleep"]):
        await manager.until(lambda: COMPLETED in manager.statuses_of("task-1"))
    failed = next(u for _, u in manager.updates if u.taskStatus == FAILED)
    assert "not allowed on this worker" in (failed.activity or "")


@linux
async def test_a_program_runs_with_its_log(start: Any, manager: FakeManager) -> None:
    script = "echo $FLAMENCO_TASK_LEASE; test -d $TMP -a $TMPDIR = $FLAMENCO_SCRATCH && echo ok"
    manager.give(a_task(("exec", {"exe": "sh", "args": ["-c", script]}), epoch=3))
    async with start(exec_allowed=True):
        await manager.until(lambda: COMPLETED in manager.statuses_of("task-1"))
    lines = manager.log_of("task-1").splitlines()
    assert lines[:2] == ["going to run:", ""]
    assert lines[2] == f"    sh -c '{script}'"
    assert [line.partition(" > ")[2] for line in lines[4:6]] == ["task-1-3", "ok"]
    assert lines[4].startswith("pid=")


async def test_a_manager_that_says_no_stops_the_run(
    start: Any, manager: FakeManager, bench: Bench
) -> None:
    manager.give(a_task(("wait", {})), a_task(uuid="task-2"))
    async with start([bench]):
        await bench.started.wait()
        manager.may_run = False
        await manager.until(lambda: COMPLETED in manager.statuses_of("task-2"))
    assert bench.cancelled
    assert manager.statuses_of("task-1") == [ACTIVE]


@pytest.mark.parametrize("status", [403, 404, 409, 410])
async def test_a_refused_update_stops_the_run(
    start: Any, manager: FakeManager, bench: Bench, status: int
) -> None:
    manager.trouble("update", status)
    manager.give(a_task(("wait", {})), a_task(uuid="task-2"))
    async with start([bench]):
        await manager.until(lambda: COMPLETED in manager.statuses_of("task-2"))
    assert bench.cancelled
    assert manager.statuses_of("task-1") == []


async def test_a_400_to_an_update_does_not_stop_the_run(
    start: Any, manager: FakeManager, bench: Bench
) -> None:
    manager.trouble("update", 400)
    manager.give(a_task(("wait", {})))
    async with start([bench]):
        await manager.until(lambda: manager.count("update") == 1)
        bench.go_on.set()
        await manager.until(lambda: manager.statuses_of("task-1") == [COMPLETED])


@pytest.mark.parametrize("status", [404, 500, 503, 429])
async def test_a_fault_in_the_heartbeat_does_not_stop_the_run(
    start: Any, manager: FakeManager, bench: Bench, status: int
) -> None:
    manager.trouble("may_i_run", status, status, status)
    manager.give(a_task(("wait", {})))
    async with start([bench]):
        await manager.until(lambda: manager.count("may_i_run") > 4)
        bench.go_on.set()
        await manager.until(lambda: COMPLETED in manager.statuses_of("task-1"))


@linux
async def test_a_stopped_run_leaves_no_process(
    start: Any, manager: FakeManager, settings: Any
) -> None:
    script = "trap '' TERM; setsid sleep 100 & sleep 100 & echo here; wait; sleep 100"
    manager.give(a_task(("exec", {"exe": "sh", "args": ["-c", script]})), a_task(uuid="task-2"))
    mark = {HOME_MARK: settings.home}
    async with start(exec_allowed=True):
        await manager.until(lambda: "here" in manager.log_of("task-1"))
        assert len(platform.find_marked(mark)) == 3
        manager.taken_away.add("task-1")
        await manager.until(lambda: COMPLETED in manager.statuses_of("task-2"))
        assert platform.find_marked(mark) == []
    assert manager.statuses_of("task-1") == [ACTIVE]


async def test_the_manager_may_be_away_while_a_task_runs(
    start: Any, manager: FakeManager, bench: Bench
) -> None:
    manager.give(a_task(("wait", {}), ("steps", {})))
    async with start([bench]):
        await bench.started.wait()
        manager.away = True
        bench.go_on.set()
        await anyio.wait_all_tasks_blocked()
        manager.away = False
        manager.tell()
        await manager.until(lambda: COMPLETED in manager.statuses_of("task-1"))
    assert manager.log_of("task-1") == "äöü\nline two\n"


async def test_a_storm_of_errors_costs_no_update(
    start: Any, manager: FakeManager, bench: Bench
) -> None:
    manager.trouble("update", *[500, 503, 429, 408] * 4)
    manager.give(a_task(("steps", {})))
    async with start([bench]):
        await manager.until(lambda: COMPLETED in manager.statuses_of("task-1"))
    assert manager.statuses_of("task-1") == [ACTIVE, COMPLETED]
    assert manager.log_of("task-1") == "äöü\nline two\n"


class Wraps:
    """A plugin whose wrap_task does what the test needs."""

    def __init__(self, before: Any = None, after: Any = None, hide: bool = False) -> None:
        self.before, self.after, self.hide = before, after, hide
        self.seen: list[str] = []

    @hookimpl
    def wrap_task(self, task: Any, worker: Any) -> Any:
        @asynccontextmanager
        async def wrapped() -> AsyncIterator[None]:
            self.seen.append(f"enter {task.id} on {worker.name}")
            if self.before:
                raise self.before
            with suppress(Exception) if self.hide else nullcontext():
                yield
            self.seen.append("leave")
            if self.after:
                raise self.after

        return wrapped()


async def test_plugins_surround_a_task(start: Any, manager: FakeManager) -> None:
    wraps = Wraps()
    manager.give(a_task())
    async with start([wraps]):
        await manager.until(lambda: COMPLETED in manager.statuses_of("task-1"))
    assert wraps.seen == ["enter task-1 on alfa", "leave"]


async def test_a_plugin_that_cannot_wrap_fails_the_task_by_name(
    start: Any, manager: FakeManager, bench: Bench
) -> None:
    manager.give(a_task(("steps", {})))
    async with start([bench, Wraps(before=OSError("no licence left"))]):
        await manager.until(lambda: FAILED in manager.statuses_of("task-1"))
    activity = manager.updates[-1][1].activity or ""
    assert "'Wraps'" in activity
    assert "no licence left" in activity
    assert bench.ran == []


async def test_a_plugin_that_fails_afterwards_fails_the_task(
    start: Any, manager: FakeManager
) -> None:
    manager.give(a_task())
    async with start([Wraps(after=CommandError("cannot unmount"))]):
        await manager.until(lambda: FAILED in manager.statuses_of("task-1"))
    assert "cannot unmount" in (manager.updates[-1][1].activity or "")


async def test_a_plugin_cannot_hide_that_a_command_failed(
    start: Any, manager: FakeManager, bench: Bench
) -> None:
    manager.give(a_task(("crash", {})))
    async with start([bench, Wraps(hide=True)]):
        await manager.until(lambda: FAILED in manager.statuses_of("task-1"))
    assert COMPLETED not in manager.statuses_of("task-1")


async def test_a_plugin_with_a_malformed_command_is_off_and_the_rest_works(
    start: Any, manager: FakeManager
) -> None:
    class NotAttrs(Command):
        """Its author forgot the decorator."""

        name = "not-attrs"
        path: str

        async def run(self, run: Run) -> None: ...

    class Broken:
        @hookimpl
        def register_commands(self) -> Any:
            return [NotAttrs, *Bench().commands]

    async with start([Broken()]) as running:
        worker = running.app.worker
        assert worker.plugins["Broken"].state == "off"
        assert "@attrs.frozen" in (worker.plugins["Broken"].error or "")
        assert "not-attrs" not in worker.commands
        assert "steps" not in worker.commands
        assert "echo" in worker.commands


async def test_the_last_image_is_shown_to_the_manager(
    start: Any, manager: FakeManager, tmp_path: Path
) -> None:
    image = tmp_path / "frame.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\nrest")

    @attrs.frozen
    class Render(Command):
        """Say that there is an image."""

        name = "render"

        async def run(self, run: Run) -> None:
            await run.output(str(image))

    class Renders:
        @hookimpl
        def register_commands(self) -> Any:
            return [Render]

    manager.give(a_task(("render", {})))
    async with start([Renders()]):
        await manager.until(lambda: manager.images)
    assert manager.images == [("task-1", "image/png", image.read_bytes())]
