"""Try out what this machine can do, without a Manager and without a job."""

from __future__ import annotations

import inspect
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import anyio
import anyio.to_thread
import attrs

from flamenco_core.domain.trials import TrialStatus
from flamenco_core.domain.variables import VariableTable
from flamenco_core.errors import CommandError
from flamenco_core.offers.task import CommandToRun, TaskToRun
from flamenco_core.offers.trial import Trial
from flamenco_core.offers.variable import Variable, VariableValue
from flamenco_core.platform import go_os
from flamenco_core.worker.executor import Executor, reason_of
from flamenco_core.worker.host import Worker
from flamenco_core.worker.process import Launch, run_program

__all__ = ["Checked", "check_machine"]

LONGEST = 300.0
"""Seconds for one trial."""
MEGABYTE = 1_000_000
AMOUNT = 32
"""Megabytes that are written and read to measure a disk."""
VARIABLES = (
    Variable(name="blender", values=(VariableValue(value="blender"),)),
    Variable(name="blenderArgs", values=(VariableValue(value="-b -y"),)),
)
"""What a Manager says if it was told nothing else."""


@attrs.frozen(kw_only=True)
class Checked:
    """What came out of one step; ``picture`` is a path on this machine."""

    name: str
    status: TrialStatus
    message: str
    seconds: float = 0.0
    version: str = ""
    picture: str = ""
    log: str = ""


async def check_machine(worker: Worker, storage: Path | None = None) -> AsyncIterator[Checked]:
    """Do all trials that plugins offer, in *storage* or else in the Worker's home.

    Nothing is left in *storage*. What was rendered stays in the home, until the next time.
    """
    kept = worker.home / "check"
    await anyio.to_thread.run_sync(_empty, kept)
    offered = worker.plugins.registered("register_trials", host=worker)
    yield await _ready(worker)
    place = storage / f".worker-check-{worker.new_id()}" if storage else kept
    try:
        yield await _disk(worker, place)
        for trial in offered.values():
            yield await _Trying(worker, trial, place / trial.name, kept).do()
    finally:
        if storage:
            await anyio.to_thread.run_sync(lambda: shutil.rmtree(place, ignore_errors=True))


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


async def _ready(worker: Worker) -> Checked:
    started = worker.clock.monotonic()
    problems = await worker.plugins.check("check_readiness", worker=worker)
    return Checked(
        name="ready",
        status=TrialStatus.FAILED if problems else TrialStatus.PASSED,
        message="; ".join(problem.message for problem in problems) or "nothing is missing",
        seconds=worker.clock.monotonic() - started,
    )


async def _disk(worker: Worker, folder: Path) -> Checked:
    started = worker.clock.monotonic()
    try:
        words = await anyio.to_thread.run_sync(_measure, folder, worker.clock.monotonic)
        status = TrialStatus.PASSED
    except OSError as error:
        words = f"cannot write to and read from {folder.parent}: {error}; is it mounted, and may"
        words, status = f"{words} this user write there?", TrialStatus.FAILED
    took = worker.clock.monotonic() - started
    return Checked(name="disk", status=status, message=words, seconds=took)


def _measure(folder: Path, now: Callable[[], float]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    probe, renamed, data = folder / "probe", folder / "probe-renamed", os.urandom(MEGABYTE)
    times = [now()]
    with probe.open("wb") as file:
        for _ in range(AMOUNT):
            file.write(data)
        file.flush()
        os.fsync(file.fileno())
    times.append(now())
    probe.replace(renamed)
    with renamed.open("rb") as file:
        while piece := file.read(MEGABYTE):
            if piece != data:
                raise OSError(f"{renamed} was not read as it was written; the disk is bad")
    times.append(now())
    renamed.unlink()
    wrote, read = (AMOUNT / max(b - a, 1e-6) for a, b in pairwise(times))
    # What was just written is often still in memory: the second figure is no promise.
    return f"{folder.parent}: wrote {AMOUNT} MB at {wrote:.0f} MB/s, read at {read:.0f} MB/s"


@attrs.define(kw_only=True)
class _Run:
    """The `Run` of a trial's commands: it keeps the log."""

    worker: Worker
    lines: list[str] = attrs.field(factory=list)

    async def log(self, line: str) -> None:
        self.lines.append(line)

    async def activity(self, text: str) -> None:
        """Nobody watches."""

    async def step(self, count: int = 1) -> None:
        """Nobody watches."""

    async def output(self, path: str, *, frame: int | None = None) -> None:
        """Pass it over: the trial says itself which picture it makes."""

    async def execute(
        self,
        argv: Sequence[str],
        *,
        on_line: Callable[[str], object] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> None:
        async def handle(_: int, line: str) -> None:
            self.lines.append(line)
            if on_line is not None and inspect.isawaitable(result := on_line(line)):
                await result

        whole = {**os.environ, **self.worker.task_environment, **(env or {})}
        grace = self.worker.settings.timings.stop_grace
        launch = Launch(argv=argv, env=whole, cwd=cwd, grace=grace)
        await run_program(launch, handle, self.worker.clock)


class _Trying:
    """One trial on this machine."""

    def __init__(self, worker: Worker, trial: Trial, folder: Path, kept: Path) -> None:
        self._worker = worker
        self._trial = trial
        self._folder = folder
        self._kept = kept
        self._run = _Run(worker=worker)

    async def do(self) -> Checked:
        trial, started = self._trial, self._worker.clock.monotonic()
        if trial.task_type not in self._worker.settings.task_types:
            words = f"this Worker's settings leave out tasks of type {trial.task_type!r}"
            return Checked(name=trial.name, status=TrialStatus.SKIPPED, message=words)
        picture = ""
        try:
            with anyio.fail_after(LONGEST):
                words, picture = await self._tried()
            status = TrialStatus.PASSED
        except TimeoutError:
            words, status = f"it did not end within {LONGEST:.0f} seconds", TrialStatus.FAILED
        # The border to other people's commands: whatever they raise, the next trial is done.
        except Exception as error:
            words, status = reason_of(error), TrialStatus.FAILED
        return Checked(
            name=trial.name,
            status=status,
            message=words,
            seconds=self._worker.clock.monotonic() - started,
            version=self._version(),
            picture=picture,
            log="\n".join(self._run.lines),
        )

    async def _tried(self) -> tuple[str, str]:
        trial, folder = self._trial, self._folder
        await anyio.Path(folder).mkdir(parents=True)
        await anyio.to_thread.run_sync(trial.prepare, folder)
        await Executor(self._worker).run(self._task(), self._run)
        words = await anyio.to_thread.run_sync(trial.prove, folder)
        return words, await anyio.to_thread.run_sync(self._keep) if trial.picture else ""

    def _task(self) -> TaskToRun:
        table, system = VariableTable(VARIABLES, go_os()), go_os()
        return TaskToRun(
            id=self._worker.new_id(),
            job_id=self._worker.new_id(),
            name=f"check: {self._trial.name}",
            job_type="worker-test",
            task_type=self._trial.task_type,
            commands=tuple(
                CommandToRun(
                    name=command.name,
                    parameters=table.expand(dict(command.parameters), "workers", system),
                )
                for command in self._trial.commands(self._folder.as_posix())
            ),
        )

    def _keep(self) -> str:
        made = self._folder / self._trial.picture
        if not made.is_file():
            raise CommandError(f"there is no picture {made}")
        kept = self._kept / f"{self._trial.name}{made.suffix}"
        shutil.copyfile(made, kept)
        return str(kept)

    def _version(self) -> str:
        if not self._trial.version:
            return ""
        found = re.search(self._trial.version, "\n".join(self._run.lines))
        return found[1] if found else ""
