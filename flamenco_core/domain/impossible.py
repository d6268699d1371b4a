"""What to do about tasks that no worker the farm knows may run."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["ImpossibleTasks"]


class ImpossibleTasks(StrEnum):
    """What becomes of them."""

    WAIT = "wait"
    """They wait for another worker; people are told."""
    FAIL = "fail"
    """Their job fails."""
    UNBLOCK = "unblock"
    """The workers that failed them, or are blocked, may try once more."""
