"""Know of which running tasks nothing is heard any more.

A worker can be alive and well and yet have forgotten its task, or a message of it was lost.
What was heard lives in memory and is measured by the monotonic clock. Only tasks that this
Manager has heard of are judged: with several Managers, another one may know better.
"""

from __future__ import annotations

from flamenco_core.clock import Clock

__all__ = ["TaskSilence"]

STANDSTILL = 20.0
"""Seconds between two looks, which come every few, that show that the Manager stood still."""


class TaskSilence:
    """When each task was last heard of; to give it to a worker counts as well."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard: dict[str, float] = {}
        self._looked = clock.monotonic()

    def heard(self, task: str) -> None:
        """Note that a worker spoke of its task."""
        self._heard[task] = self._clock.monotonic()

    def forget(self, task: str) -> None:
        """Expect nothing of a task any more."""
        self._heard.pop(task, None)

    def overdue(self, limit: float) -> list[str]:
        """Return the tasks with no word for *limit* seconds; 0 expects nothing of any.

        To be called every few seconds. After a standstill of the Manager itself nobody is
        late: the messages are still on their way in.
        """
        now = self._clock.monotonic()
        stood, self._looked = now - self._looked, now
        if not limit:
            self._heard.clear()
        if stood > STANDSTILL:
            self._heard = {task: at + stood for task, at in self._heard.items()}
        return [task for task, at in self._heard.items() if now - at > limit]
