"""Give up a worker, unless some Manager has heard of it in the last moment."""

from __future__ import annotations

from flamenco_core.manager.store.contacts import is_silent
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.workers import give_up_workers

__all__ = ["give_up_silent"]


def give_up_silent(tx: Tx, worker: str, margin: int, rules: Rules) -> bool:
    """Give up a worker that nobody has heard of for too long; return whether that is so.

    What a Manager has found before may be old news: it may have been frozen meanwhile, and
    another one may have its duty.
    """
    if not is_silent(tx, worker, margin):
        return False
    give_up_workers(tx, [worker], rules)
    return True
