"""Growing, jittered pauses between attempts."""

from __future__ import annotations

import random

import attrs

__all__ = ["Backoff"]


@attrs.define(kw_only=True)
class Backoff:
    """Pauses in seconds that double from *first* up to *longest*.

    Each is varied by up to *jitter* of itself, so that a hundred machines which lost
    their Manager together do not all come back at the same moment.
    """

    first: float = 1.0
    longest: float = 20.0
    jitter: float = 0.2
    # Not for secrets; SystemRandom because it needs no seed that forked processes share.
    random: random.Random = attrs.field(factory=random.SystemRandom)
    _next: float = attrs.field(default=0.0, init=False)

    def pause(self) -> float:
        """Return how long to wait now; the next answer is longer."""
        base = max(self.first, self._next)
        self._next = min(base * 2, self.longest)
        return min(base, self.longest) * (1 + self.random.uniform(-self.jitter, self.jitter))

    def reset(self) -> None:
        """Begin again with the shortest pause."""
        self._next = 0.0
