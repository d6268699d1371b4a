"""End runs of tasks that take longer than tasks of their type may.

How long a run has been at work is counted here, by the monotonic clock, from the moment
at which it is first seen: neither a clock that is set nor a Manager that stood still ends
a run too early. A Manager that starts gives each its whole time again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from flamenco_core.errors import NotFound
from flamenco_core.manager.silence import STANDSTILL
from flamenco_core.manager.usecases.time_out import active_runs, fail_long_run

if TYPE_CHECKING:
    from flamenco_core.clock import Clock
    from flamenco_core.manager.host import Manager

__all__ = ["LongRuns", "RunTimes"]

Run = tuple[str, int]
"""A task and its epoch."""


class RunTimes:
    """How long each run has been at work, in seconds; to be asked every few seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._worked: dict[Run, float] = {}
        self._looked = clock.monotonic()

    def overdue(self, limits: dict[Run, float]) -> list[Run]:
        """Return those of the present runs that are over their limit; forget all others."""
        now = self._clock.monotonic()
        passed, self._looked = now - self._looked, now
        passed = passed if passed <= STANDSTILL else 0.0
        known = self._worked
        self._worked = {run: known[run] + passed if run in known else 0.0 for run in limits}
        return [run for run, worked in self._worked.items() if worked > limits[run]]


class LongRuns:
    """Looks after runs of task types that have a limit; without any it does nothing."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._times = RunTimes(manager.clock)

    async def look(self) -> None:
        """Fail the runs that take too long; other workers try their tasks."""
        database, rules = self._manager.database, self._manager.rules
        limits: dict[Run, float] = {}
        if rules.longest_runs:
            for run in await database.read(active_runs):
                if limit := rules.longest_runs.get(run.task_type):
                    limits[run.uuid, run.epoch] = limit
        for task, epoch in self._times.overdue(limits):
            with suppress(NotFound):
                limit = limits[task, epoch]
                await database.write(fail_long_run, task, epoch, limit, rules)
