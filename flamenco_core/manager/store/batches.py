"""How many changes went to the disk together, and how long that took."""

from __future__ import annotations

import attrs

__all__ = ["Batches"]


@attrs.define(eq=False)
class Batches:
    """Counts commits; written by one thread, and read by others at any time."""

    commits: int = 0
    writes: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    """Seconds of the longest commit so far."""

    def note(self, writes: int, seconds: float) -> None:
        """Count one commit of so many changes."""
        self.commits += 1
        self.writes += writes
        self.seconds += seconds
        self.slowest = max(self.slowest, seconds)
