"""The life of a Worker process: start, stop, restart."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest

from flamenco_core import Command, Run, Service, hookimpl, platform
from flamenco_core.domain.events import Event, RunEnded, RunStarted
from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.errors import ConfigError, MissingPlugin
from flamenco_core.testing import FakeManager, a_task
from flamenco_core.wire.worker import TaskUpdate
from flamenco_core.worker.app import create_worker, run_with_signals
from flamenco_core.worker.credentials import Credentials, CredentialsFile
from flamenco_core.worker.journal import Journal
from flamenco_core.worker.outbox import Outbox
from flamenco_core.worker.process import HOME_MARK

ACTIVE, COMPLETED = TaskStatus.ACTIVE, TaskStatus.COMPLETED
linux = pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc")


async def leave_unsent(home: Path, *updates: TaskUpdate) -> None:
    from flamenco_core.backoff import Backoff
    from flamenco_core.clock import SystemClock

    home.mkdir(parents=True)
    CredentialsFile(home).save(Credentials("worker-9", "s"))
    outbox = Outbox(
        Journal(home / "flamenco-worker.outbox"), clock=SystemClock(), backoff=Backoff()
    )
    await outbox.open()
    for update in updates:
        await outbox.post("old-task", update)
    outbox.close()


OLD = (
    TaskUpdate(log="rendered\n", epoch=2, seq=8, log_offset=100),
    TaskUpdate(taskStatus=COMPLETED, activity="Completed", epoch=2, seq=9),
)


async def test_what_an_earlier_process_left_is_delivered_before_it_signs_on(
    start: Any, manager: FakeManager, settings: Any
) -> None:
    await leave_unsent(Path(settings.home), *OLD)
    async with start():
        await manager.until(lambda: manager.states)
    assert manager.updates == [("old-task", update) for update in OLD]
    order = [name for name, _ in manager.calls]
    assert order[:3] == ["update", "update", "sign_on"]


async def test_what_cannot_be_delivered_then_is_delivered_before_work_is_asked_for(
    start: Any, manager: FakeManager, settings: Any
) -> None:
    await leave_unsent(Path(settings.home), *OLD)
    manager.trouble("update", 503, 503, 503)
    async with start():
        await manager.until(lambda: manager.count("schedule"))
    assert manager.updates == [("old-task", update) for update in OLD]


async def test_flush_only_delivers_and_goes(manager: FakeManager, settings: Any) -> None:
    await leave_unsent(Path(settings.home), *OLD)
    app = create_worker(settings, discover=False, transport=manager)
    assert await app.run(flush_only=True) == 0
    assert len(manager.updates) == 2
    assert [name for name, _ in manager.calls][-2:] == ["sign_on", "sign_off"]


async def test_two_workers_cannot_share_a_home(start: Any, settings: Any) -> None:
    async with start() as running:
        await running.app.worker.clock.sleep(0)
        while not (Path(settings.home) / "flamenco-worker.lock").exists():
            await anyio.sleep(0.001)
        other = create_worker(settings, discover=False)
        with pytest.raises(ConfigError, match="another Worker is at work"):
            await other.run()


async def test_a_home_that_cannot_be_made_is_named(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    wrong = attrs.evolve(settings, home=str(tmp_path / "file" / "home"))
    with pytest.raises(ConfigError, match="FLAMENCO_HOME"):
        await create_worker(wrong, discover=False).run()


def test_a_required_plugin_that_is_missing_stops_the_start(settings: Any) -> None:
    with pytest.raises(MissingPlugin, match="flamenco-nosuch"):
        create_worker(attrs.evolve(settings, required=["nosuch"]), discover=False)


def test_a_blocked_plugin_is_left_out(settings: Any) -> None:
    worker = create_worker(settings, discover=False, blocked=["files"]).worker
    assert worker.plugins["files"].state == "blocked"
    assert "copy-file" not in worker.commands


def test_plugins_of_the_folder_are_loaded(settings: Any, tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    (folder / "house.py").write_text(
        "import attrs\n"
        "from flamenco_core import Command, hookimpl\n"
        "@attrs.frozen\n"
        "class Ours(Command):\n"
        "    'Do it.'\n"
        "    name = 'ours'\n"
        "    async def run(self, run): pass\n"
        "@hookimpl\n"
        "def register_commands():\n"
        "    return [Ours]\n"
    )
    worker = create_worker(attrs.evolve(settings, plugins_dir=str(folder)), discover=False).worker
    assert "ours" in worker.commands
    assert worker.plugins["house"].origin == "folder"


def test_sections_of_the_settings_are_typed(settings: Any) -> None:
    from flamenco_core.builtin.scratch import ScratchSettings

    given = attrs.evolve(settings, plugins={"scratch": {"folder": "/fast"}})
    worker = create_worker(given, discover=False).worker
    assert worker.settings_of("scratch", ScratchSettings) == ScratchSettings("/fast")
    assert worker.settings_of("other", ScratchSettings) == ScratchSettings()


def test_settings_can_be_read_from_a_file(tmp_path: Path) -> None:
    from flamenco_core.config import load_settings
    from flamenco_core.worker.settings import WorkerSettings

    path = tmp_path / "flamenco-worker.yaml"
    path.write_text(
        "worker_name: alfa\ntask_types: [blender]\noom_score_adjust: 500\nhome: here\n"
        "commands: [echo]\ntimings:\n  heartbeat: 7\nplugins:\n  scratch:\n    folder: 5\n"
    )
    loaded = load_settings(path, WorkerSettings, environ={})
    assert loaded.settings.task_types == ["blender"]
    assert loaded.settings.timings.heartbeat == 7
    assert loaded.settings.oom_score_adjust == 500
    assert loaded.settings.home_path == tmp_path / "here"
    worker = create_worker(loaded, discover=False).worker
    assert worker.name == "alfa"


def test_the_name_is_that_of_the_settings_or_environment_or_host(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    unnamed = attrs.evolve(settings, worker_name=" ")
    monkeypatch.delenv("FLAMENCO_WORKER_NAME", raising=False)
    assert unnamed.name == socket.gethostname()
    monkeypatch.setenv("FLAMENCO_WORKER_NAME", "beta")
    assert unnamed.name == "beta"
    assert settings.name == "alfa"


# ---------------------------------------------------------------------- stopping


@attrs.frozen
class Hang(Command):
    """Log a line, then wait for ever."""

    name = "hang"

    async def run(self, run: Run) -> None:
        await run.log("last words")
        await anyio.sleep_forever()


class Hangs:
    def __init__(self) -> None:
        self.events: list[Event] = []

    @hookimpl
    def register_commands(self) -> Any:
        return [Hang]

    @hookimpl
    async def on_event(self, event: Event) -> None:
        self.events.append(event)


async def test_stopping_gives_the_task_back_and_signs_off(start: Any, manager: FakeManager) -> None:
    manager.give(a_task(("hang", {})))
    plugin = Hangs()
    async with start([plugin]) as running:
        await manager.until(lambda: manager.count("may_i_run"))
        running.app.stop()
        await running.ended.wait()
    assert running.code == 1
    assert manager.statuses_of("task-1") == [ACTIVE]
    assert manager.log_of("task-1") == "last words\n"
    assert manager.calls[-1][0] == "sign_off"
    assert plugin.events == [
        RunStarted(task_id="task-1", job_id="job-1", name="the task task-1"),
        RunEnded(
            task_id="task-1",
            job_id="job-1",
            name="the task task-1",
            outcome="stopped",
            reason="the worker stops",
        ),
    ]


async def test_stopping_waits_neither_for_a_manager_that_is_away_nor_loses_reports(
    start: Any, manager: FakeManager, settings: Any
) -> None:
    timings = attrs.evolve(settings.timings, final_flush=0.05, sign_off=0.05)
    manager.give(a_task(("hang", {})))
    async with start([Hangs()], timings=timings) as running:
        await manager.until(lambda: manager.count("may_i_run"))
        manager.away = True
        running.app.stop()
        await running.ended.wait()
    assert running.code == 1
    journal = Journal(Path(settings.home) / "flamenco-worker.outbox")
    assert "last words\n" in [r.data["update"].get("log") for r in journal.open()]
    journal.close()


async def test_stopping_before_anything_was_found_is_possible(
    start: Any, manager: FakeManager
) -> None:
    class Searches:
        @hookimpl
        async def find_manager(self) -> str | None:
            await anyio.sleep_forever()
            return None

    async with start([Searches()]) as running:
        await anyio.wait_all_tasks_blocked()
        running.app.stop()
        await running.ended.wait()
    assert running.code == 1
    assert manager.calls == []


@linux
async def test_a_second_stop_does_not_wait_for_programs(
    start: Any, manager: FakeManager, settings: Any
) -> None:
    script = "trap '' TERM; echo here; while :; do sleep 0.05; done"
    manager.give(a_task(("exec", {"exe": "sh", "args": ["-c", script]})))
    timings = attrs.evolve(settings.timings, stop_grace=3600)
    async with start(exec_allowed=True, timings=timings) as running:
        await manager.until(lambda: "here" in manager.log_of("task-1"))
        running.app.stop()
        await anyio.wait_all_tasks_blocked()
        running.app.stop()
        with anyio.fail_after(5):
            await running.ended.wait()
    assert running.code == 1
    assert platform.find_marked({HOME_MARK: settings.home}) == []


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_the_worker(
    manager: FakeManager, settings: Any, number: signal.Signals
) -> None:
    app = create_worker(settings, discover=False, transport=manager)
    former = signal.getsignal(number)
    running = asyncio.create_task(run_with_signals(app))
    await manager.until(lambda: manager.count("schedule"))
    os.kill(os.getpid(), number)
    assert await running == 1
    assert signal.getsignal(number) is former
    assert manager.calls[-1][0] == "sign_off"


# ------------------------------------------------------------- services and events


async def test_services_run_and_are_started_again_when_they_fail(
    start: Any, manager: FakeManager, caplog: pytest.LogCaptureFixture
) -> None:
    rounds: list[int] = []
    again = anyio.Event()

    async def watch() -> None:
        rounds.append(1)
        again.set()
        raise RuntimeError("cable unplugged")

    class Watches:
        @hookimpl
        def register_services(self, host: Any) -> list[Service]:
            assert host.side == "worker"
            return [Service(name="watch", run=watch)]

    async with start([Watches()]):
        await again.wait()
        await manager.until(lambda: manager.states)
    assert "cable unplugged" in caplog.text


async def test_a_slow_plugin_does_not_hold_up_the_work(start: Any, manager: FakeManager) -> None:
    class Slow:
        @hookimpl
        async def on_event(self, event: Event) -> None:
            await anyio.sleep_forever()

    manager.give(a_task(), a_task(uuid="task-2"))
    async with start([Slow()]) as running:
        await manager.until(lambda: COMPLETED in manager.statuses_of("task-2"))
        running.app.stop()


async def test_there_is_hardly_any_time_between_two_tasks(start: Any, manager: FakeManager) -> None:
    count = 50
    manager.give(*[a_task(("echo", {"message": n}), uuid=f"task-{n}") for n in range(count)])
    async with start():
        await manager.until(lambda: COMPLETED in manager.statuses_of("task-0"))
        began = time.perf_counter()
        last = f"task-{count - 1}"
        await manager.until(lambda: COMPLETED in manager.statuses_of(last))
        each = (time.perf_counter() - began) / (count - 1)
    print(f"{each * 1000:.1f} ms between two tasks")
    # 20 ms is the aim, on a quiet machine; this only catches a pause that creeps in.
    assert each < 0.2


def test_a_worker_loads_nothing_of_the_manager_and_no_discovery() -> None:
    import subprocess

    code = (
        "import sys, flamenco_core.worker.app as app\n"
        "from flamenco_core.worker.settings import WorkerSettings\n"
        "app.create_worker(WorkerSettings(), discover=False)\n"
        "bad = {'litestar', 'sqlalchemy', 'zeroconf', 'apprise', 'pytest'} & set(sys.modules)\n"
        "bad |= {m for m in sys.modules if m.startswith('flamenco_core.manager')}\n"
        "sys.exit(str(bad) if bad else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
