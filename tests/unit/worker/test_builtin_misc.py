"""echo, sleep, exec, the scratch folder and the look before signing on."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from flamenco_core import Command, Run, hookimpl
from flamenco_core.builtin import scratch
from flamenco_core.builtin.misc import _spelled
from flamenco_core.errors import CommandError
from flamenco_core.offers import TaskToRun
from flamenco_core.worker.app import create_worker
from flamenco_core.worker.host import Worker
from flamenco_core.worker.settings import WorkerSettings


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("hello", 'echo: "hello"'),
        ('say "ä"\n', 'echo: "say \\"ä\\"\\n"'),
        (3, "echo: 3"),
        ({"a": [1, None]}, 'echo: {"a": [1, null]}'),
    ],
)
async def test_echo_takes_anything(run_command: Any, message: Any, line: str) -> None:
    record = await run_command("echo", {"message": message})
    assert record.lines == [line]


@pytest.mark.parametrize("duration", [0, 0.9])
async def test_sleep_cuts_fractions_off(run_command: Any, duration: float) -> None:
    record = await run_command("sleep", {"duration_in_seconds": duration})
    assert record.lines == ["slept 0s"]


async def test_sleep_cannot_go_back_in_time(run_command: Any) -> None:
    with pytest.raises(CommandError, match=r'"duration_in_seconds" has invalid value -1'):
        await run_command("sleep", {"duration_in_seconds": -1})


@pytest.mark.parametrize(
    ("seconds", "text"), [(3, "3s"), (90, "1m30s"), (3600, "1h0m0s"), (3725, "1h2m5s")]
)
def test_durations_are_spelled_as_flamenco_does(seconds: int, text: str) -> None:
    assert _spelled(seconds) == text


@pytest.mark.skipif(sys.platform == "win32", reason="uses a POSIX program")
async def test_exec_runs_any_program_where_it_is_allowed(run_command: Any) -> None:
    parameters = {"exe": "echo", "args": ["-f", 24, 23.976, True]}
    record = await run_command("exec", parameters, settings={"exec_allowed": True})
    assert record.lines == ["-f 24 23.976 true"]
    with pytest.raises(CommandError, match="unknown command"):
        await run_command("exec", parameters)


# ----------------------------------------------------------------------- scratch


@attrs.frozen
class Look(Command):
    """Say which scratch folder there is, and leave something in it."""

    name = "look"
    fail: bool = False

    async def run(self, run: Run) -> None:
        folder = Path(LOOKED.app.worker.task_environment["FLAMENCO_SCRATCH"])
        (folder / "cache").mkdir()
        LOOKED.folders.append(folder)
        if self.fail:
            raise CommandError("no")


class Looks:
    def __init__(self) -> None:
        self.folders: list[Path] = []
        self.app: Any = None

    @hookimpl
    def register_commands(self) -> Any:
        return [Look]

    @hookimpl
    def wrap_task(self, worker: Any) -> None:
        self.app = type("App", (), {"worker": worker})


LOOKED = Looks()


@pytest.mark.parametrize("fail", [False, True])
async def test_each_task_has_a_folder_which_is_gone_afterwards(
    run_command: Any, tmp_path: Path, fail: bool
) -> None:
    LOOKED.folders.clear()
    (tmp_path / "fast").mkdir()
    settings = {"plugins": {"scratch": {"folder": str(tmp_path / "fast")}}}
    try:
        await run_command("look", {"fail": fail}, plugins=[LOOKED], settings=settings)
    except CommandError:
        assert fail
    (folder,) = LOOKED.folders
    assert folder.parent == tmp_path / "fast"
    assert not folder.exists()
    assert LOOKED.app.worker.task_environment == {}


async def test_what_a_killed_worker_has_left_goes_at_the_next_start(tmp_path: Path) -> None:
    def made(name: str, fast: Path) -> Worker:
        settings = WorkerSettings(
            home=str(tmp_path / name), plugins={"scratch": {"folder": str(fast)}}
        )
        return create_worker(settings, discover=False).worker

    (fast := tmp_path / "fast").mkdir()
    worker, neighbor = made("a", fast), made("b", fast)
    task = TaskToRun(
        id="5" * 36, job_id="6" * 36, name="x", job_type="t", task_type="misc", commands=()
    )
    left = scratch.wrap_task(task, worker)
    await left.__aenter__()
    worker.task_environment.clear()  # as after a kill
    async with scratch.wrap_task(task, neighbor):
        assert len(list(fast.iterdir())) == 2
        for asked in (worker, neighbor):
            assert await scratch.check_readiness(asked) == []
        assert len(list(fast.iterdir())) == 1, "a neighbor's stays, and that of a task at work"
        assert Path(neighbor.task_environment["FLAMENCO_SCRATCH"]).is_dir()
    with contextlib.suppress(KeyError):
        await left.__aexit__(None, None, None)


async def test_a_scratch_folder_that_cannot_be_made_fails_the_task_by_name(
    run_command: Any, tmp_path: Path
) -> None:
    settings = {"plugins": {"scratch": {"folder": str(tmp_path / "nowhere")}}}
    with pytest.raises(Exception, match="scratch"):
        await run_command("echo", {"message": 1}, settings=settings)


# --------------------------------------------------------------------- readiness


async def problems_of(tmp_path: Path, **changes: Any) -> list[str]:
    settings = WorkerSettings(home=str(tmp_path), **changes)
    worker = create_worker(settings, discover=False).worker
    return [p.message for p in await worker.plugins.check("check_readiness", worker=worker)]


async def test_a_worker_with_a_home_is_ready(tmp_path: Path) -> None:
    assert await problems_of(tmp_path) == []


async def test_a_home_that_cannot_be_written_to_is_a_problem(tmp_path: Path) -> None:
    (problem,) = await problems_of(tmp_path / "nowhere")
    assert "FLAMENCO_HOME" in problem


async def test_a_full_disk_is_a_problem(tmp_path: Path) -> None:
    plugins = {"readiness": {"free_megabytes": 10**9}}
    (problem,) = await problems_of(tmp_path, plugins=plugins)
    assert "make room" in problem


async def test_a_worker_without_commands_is_a_problem(tmp_path: Path) -> None:
    (problem,) = await problems_of(tmp_path, blocked=["misc", "files"])
    assert "no plugin offers a command" in problem
