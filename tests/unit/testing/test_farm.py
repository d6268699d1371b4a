"""The fixtures and helpers for plugin authors."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from flamenco_core import Author, Command, JobType, Run, hookimpl, setting
from flamenco_core.errors import CommandError, JobTypeError
from flamenco_core.testing import compile_job


@attrs.frozen
class Touch(Command):
    """Create an empty file."""

    name = "touch"
    path: str

    async def run(self, run: Run) -> None:
        if not self.path:
            raise CommandError("no path")
        Path(self.path).touch()
        await run.log(f"touched {self.path}")


@attrs.frozen
class TouchFiles(JobType):
    """Create so many files."""

    name = "touch-files"
    label = "Touch files"
    folder: str
    count: int = setting(1)

    def author(self, author: Author) -> None:
        for number in range(self.count):
            path = f"{self.folder}/{number}" if self.folder else ""
            author.task(f"touch {number}", "misc").command("touch", {"path": path})


class Plugin:
    @hookimpl
    def register_commands(self) -> list[type[Command]]:
        return [Touch]

    @hookimpl
    def register_job_types(self) -> list[type[JobType]]:
        return [TouchFiles]


@pytest.mark.parametrize("workers", [1, 3])
async def test_a_farm_runs_a_job_to_its_end(farm, tmp_path: Path, workers: int) -> None:
    async with farm([Plugin()], workers=workers) as running:
        job = await running.submit("touch-files", {"folder": str(tmp_path), "count": 5})
        assert (await running.run_until_done(job))["status"] == "completed"
        tasks = await running.tasks(job)
        assert "touched" in await running.log(tasks[0]["id"])
    assert all((tmp_path / str(number)).exists() for number in range(5))


async def test_a_farm_shows_failure(farm) -> None:
    async with farm([Plugin()]) as running:
        job = await running.submit("touch-files", {"folder": ""})
        assert (await running.run_until_done(job))["status"] == "failed"
        (task,) = await running.tasks(job)
        assert "no path" in await running.log(task["id"])


async def test_a_job_that_is_done_need_not_be_waited_for(farm) -> None:
    async with farm([Plugin()]) as running:
        job = await running.submit("touch-files", {"folder": "x", "count": 0})
        assert (await running.run_until_done(job))["status"] == "completed"


async def test_waiting_has_a_limit(farm) -> None:
    async with farm([Plugin()], workers=0) as running:
        job = await running.submit("touch-files", {"folder": "x"})
        with pytest.raises(TimeoutError):
            await running.run_until_done(job, limit=0.05)


async def test_a_refused_job_says_why(manager) -> None:
    async with manager([Plugin()]) as running:
        with pytest.raises(AssertionError, match="no-such"):
            await running.submit("no-such")


async def test_a_class_is_compiled_without_a_manager() -> None:
    job = await compile_job(TouchFiles, {"folder": "/x", "count": 2}, priority=70)
    assert [task.name for task in job.tasks] == ["touch 0", "touch 1"]
    assert job.priority == 70
    again = await compile_job(TouchFiles.offered(), {"folder": "/x", "count": 2})
    assert [task.commands for task in again.tasks] == [task.commands for task in job.tasks]


async def test_what_is_wrong_is_raised() -> None:
    with pytest.raises(JobTypeError, match="folder"):
        await compile_job(TouchFiles, {})


async def test_what_is_no_job_type_is_an_error() -> None:
    with pytest.raises(AssertionError, match="no job type"):
        await compile_job(5, {})  # type: ignore[arg-type]
