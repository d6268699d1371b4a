"""What goes in and out: answers by operation, status and how long they took.

It is counted with every request, so it is plain lists and numbers; who wants to see them
makes something nice of them.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import attrs

__all__ = ["BUCKETS", "Row", "Traffic"]

BUCKETS = (0.002, 0.005, 0.02, 0.1, 0.5, 2.0)
"""Upper ends of the classes of times (seconds); there is one more above the last."""


@attrs.define
class Row:
    """The answers of one operation with one status."""

    counts: list[int] = attrs.field(factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0


class Traffic:
    """Counts the answers of a Manager."""

    buckets = BUCKETS

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], Row] = {}
        """The answers so far by operation and status; no operation is an empty text."""

    def note(self, scope: Any, status: int, seconds: float) -> None:
        """Count an answer; time that a Worker has waited for work on purpose is left out."""
        handler = scope.get("route_handler")
        key = (handler.opt.get("operation", "") if handler is not None else "", status)
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = Row()
        seconds -= scope["state"].get("waited", 0.0)
        row.counts[bisect_left(BUCKETS, seconds)] += 1
        row.seconds += seconds
