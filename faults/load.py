"""How busy this machine is with other things.

Promises about time are meant for a machine that is there for the Manager. Where others
want the processors as well, their limits are longer by as much as these take, and the
figure says so.
"""

from __future__ import annotations

import time

__all__ = ["busy_words", "slowness"]

SPIN = 0.15
NOTABLE = 1.3


def slowness() -> float:
    """Return how many times longer than alone a program takes at the moment; at least 1."""
    began, used = time.perf_counter(), time.process_time()
    while time.process_time() - used < SPIN:
        pass
    return max(1.0, (time.perf_counter() - began) / SPIN)


def busy_words(slow: float) -> str:
    """Say so if the machine was busy; else nothing."""
    return f" (machine busy: everything took {slow:.1f} x)" if slow > NOTABLE else ""
