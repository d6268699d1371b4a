"""The farm's rules that use cases go by."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from flamenco_core.domain.failures import FailureLimits
from flamenco_core.domain.jobs import FailureRule
from flamenco_core.domain.scheduling import Candidate, WorkerAtWork

__all__ = ["Choose", "Rules", "Turns"]

Choose = Callable[[WorkerAtWork, tuple[Candidate, ...]], Candidate | None]


@attrs.define
class Turns:
    """How often each lane was served since its last turn.

    Jobs of one priority take turns: a job's lane is served as many times as there are
    workers, then the next one is. It lives in memory: losing it costs one turn.
    """

    served: dict[int, int] = attrs.field(factory=dict)

    def is_over(self, lane: int, workers: int) -> bool:
        """Count one task given from *lane*; return whether its turn is over."""
        count = self.served.get(lane, 0) + 1
        if count >= max(1, workers):
            self.served.pop(lane, None)
            return True
        self.served[lane] = count
        return False


@attrs.define(kw_only=True)
class Rules:
    """What decides; made from the settings once, `choose` from the plugins."""

    failure: FailureRule = attrs.field(factory=FailureRule)
    limits: FailureLimits = attrs.field(factory=FailureLimits)
    turns: Turns = attrs.field(factory=Turns)
    choose: Choose | None = None
    """A plugin's word on what a worker does next; `None` if no plugin has one."""
