"""Give a worker the next trial of its test, as if it were a task."""

from __future__ import annotations

from flamenco_core.domain.events import WorkerTested
from flamenco_core.domain.trials import MOST_RUNS, TrialStatus, test_status
from flamenco_core.manager.store import trials as trial_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx

__all__ = ["end_trial", "next_trial"]


def next_trial(tx: Tx, worker: Row) -> Row | None:
    """Begin the first open trial of a locked worker; return it, or None if there is none.

    One that runs already is given again, under a new epoch: the worker has lost it.
    """
    while (trial := trial_rows.next_open(tx, worker.id)) is not None:
        if trial.epoch < MOST_RUNS:
            return trial_rows.save_trial(
                tx,
                trial,
                status=TrialStatus.ACTIVE,
                epoch=trial.epoch + 1,
                seq=0,
                started_at=tx.now,
                log="",
            )
        words = (
            f"it was begun {MOST_RUNS} times and never ended; does the worker crash, or restart?"
        )
        end_trial(tx, trial, TrialStatus.FAILED, words)
    return None


def end_trial(tx: Tx, trial: Row, status: TrialStatus, words: str, **more: str | int) -> None:
    """End a trial, and with the last one its test."""
    changes = {"status": status, "words": words, "open": 0, "ended_at": tx.now, **more}
    trial_rows.save_trial(tx, trial, **changes)
    if trial_rows.close_test(tx, trial.test_id):
        found = (TrialStatus(row.status) for row in trial_rows.trials_of(tx, trial.test_id))
        worker = worker_rows.worker_by_id(tx, trial.worker_id)
        assert worker is not None  # a foreign key says so
        facts = worker_rows.worker_facts(worker)
        tx.emit(WorkerTested(worker=facts, test_id=trial.test_uuid, status=test_status(found)))
