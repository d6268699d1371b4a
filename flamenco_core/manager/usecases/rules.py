"""The farm's rules that use cases go by."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import tzinfo

import attrs

from flamenco_core.domain.failures import FailureLimits
from flamenco_core.domain.jobs import FailureRule
from flamenco_core.domain.scheduling import Candidate, WorkerAtWork

__all__ = ["Choose", "Rules", "Turns"]

Choose = Callable[[WorkerAtWork, tuple[Candidate, ...]], Candidate | None]


MAX_TURNS = 10_000


class Turns:
    """How many tasks each job may still be given until its turn is over.

    Jobs of one priority take turns: a job is served as many times as there are workers,
    then the next one is. It lives in memory: losing it costs one turn.
    """

    def __init__(self) -> None:
        self._left: dict[int, int] = {}
        self._lock = threading.Lock()

    def is_over(self, job: int, workers: Callable[[], int]) -> bool:
        """Count one task given from *job*; return whether its turn is over.

        *workers* says how many there are; it is asked once each turn.
        """
        left = self._left.get(job)
        if left is None:
            left = max(1, workers())
        with self._lock:
            left = self._left.pop(job, left) - 1
            if left > 0:
                self._left[job] = left
                self._forget_some()
        return left <= 0

    def _forget_some(self) -> None:
        # Jobs that ended in the middle of their turn; the oldest come first in the dict.
        while len(self._left) > MAX_TURNS:
            del self._left[next(iter(self._left))]


@attrs.define(kw_only=True)
class Rules:
    """What decides; made from the settings once, `choose` from the plugins."""

    failure: FailureRule = attrs.field(factory=FailureRule)
    limits: FailureLimits = attrs.field(factory=FailureLimits)
    blocked_for: int = 0
    """Microseconds that a worker stays on a blocklist; 0 is for good."""
    longest_runs: Mapping[str, float] = attrs.field(factory=dict)
    """Seconds that a run may take, by task type in lower case; others have no limit."""
    turns: Turns = attrs.field(factory=Turns)
    choose: Choose | None = None
    """A plugin's word on what a worker does next; `None` if no plugin has one."""
    zone: tzinfo | None = None
    """Time zone of sleep schedules that name none; `None` is this machine's."""
