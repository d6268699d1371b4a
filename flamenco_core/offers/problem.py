"""A reason not to go ahead."""

from __future__ import annotations

import attrs

__all__ = ["Problem"]


@attrs.frozen
class Problem:
    """One reason not to go ahead, in words for the person who has to act.

    ``affects`` names the task types that a Worker cannot run because of it; empty means
    that it concerns everything.
    """

    message: str
    affects: tuple[str, ...] = ()
    plugin: str = ""
