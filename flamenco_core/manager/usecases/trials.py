"""Ask for the test of a worker, take in what it says of a trial, and show the results."""

from __future__ import annotations

import json
from collections.abc import Sequence

import attrs
import msgspec

from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.domain.trials import TrialStatus
from flamenco_core.errors import Conflict, NotFound, StaleMessage
from flamenco_core.manager.store import trials as trial_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.report import Report
from flamenco_core.manager.usecases.trial_runs import end_trial
from flamenco_core.offers.task import CommandToRun

__all__ = [
    "NewTrial",
    "TestResult",
    "Verdict",
    "ask_for_test",
    "find_own",
    "give_up_trials",
    "is_anything_late",
    "last_result",
    "report_trial",
    "withdraw_test",
]

LONGEST_LOG = 64 * 1024
LONGEST_RUN = 15 * 60 * 1_000_000
"""Microseconds in which a trial must end; a first start of Blender can take its time."""
LONGEST_WAIT = 24 * 3600 * 1_000_000
KEPT = 30 * 24 * 3600 * 1_000_000


@attrs.frozen(kw_only=True)
class NewTrial:
    """A trial to come; ``uuid`` is what the worker takes for a task's."""

    uuid: str
    name: str
    task_type: str
    commands: tuple[CommandToRun, ...]


@attrs.frozen(kw_only=True)
class Verdict:
    """What the Manager has found after a worker said that a trial is done."""

    passed: bool
    words: str
    version: str = ""
    picture: str = ""


@attrs.frozen
class TestResult:
    """A test with its trials, and the worker's row."""

    __test__ = False

    test: Row
    trials: list[Row]
    worker: Row

    @property
    def is_over(self) -> bool:
        """Whether nothing of it waits or runs any more."""
        return self.test.ended_at is not None


def ask_for_test(
    tx: Tx, worker_id: str, test_id: str, asked_by: str, trials: Sequence[NewTrial]
) -> TestResult:
    """Let a worker be tested as soon as it is free.

    Raises `NotFound`, or `Conflict` while another test of it is open.
    """
    worker = worker_rows.lock_worker(tx, worker_id)
    if trial_rows.next_open(tx, worker.id):
        raise Conflict(
            f"worker {worker.name} is being tested already; wait for the result, or withdraw"
            " that test"
        )
    test = trial_rows.insert_test(tx, test_id, worker.id, asked_by)
    types = set(json.loads(worker.task_types))
    for trial in trials:
        _insert(tx, test, worker.id, trial, is_able=trial.task_type in types)
    trial_rows.close_test(tx, test)
    tx.wake(worker_id)
    return _result(tx, worker)


def _insert(tx: Tx, test: int, worker: int, trial: NewTrial, *, is_able: bool) -> None:
    trial_rows.insert_trial(
        tx,
        uuid=trial.uuid,
        test_id=test,
        worker_id=worker,
        name=trial.name,
        task_type=trial.task_type,
        commands=msgspec.json.encode([attrs.asdict(c) for c in trial.commands]).decode(),
        status=TrialStatus.QUEUED if is_able else TrialStatus.SKIPPED,
        open=int(is_able),
        words="" if is_able else f"the worker does not run tasks of type {trial.task_type!r}",
    )


def last_result(tx: Tx, worker_id: str) -> TestResult:
    """Return the newest test of a worker; raises `NotFound`."""
    return _result(tx, worker_rows.worker_by_uuid(tx, worker_id))


def _result(tx: Tx, worker: Row) -> TestResult:
    test = trial_rows.last_test(tx, worker.id)
    if test is None:
        raise NotFound(
            f"worker {worker.name} was not tested yet; 'flamenco workers test {worker.name}'"
            " does that"
        )
    return TestResult(test, trial_rows.trials_of(tx, test.id), worker)


def withdraw_test(tx: Tx, worker_id: str) -> str | None:
    """End an open test of a worker; return the test's UUID if there was one.

    What runs of it is stopped the next time that the worker asks whether it may go on.
    """
    worker, withdrawn = worker_rows.lock_worker(tx, worker_id), None
    while (trial := trial_rows.next_open(tx, worker.id)) is not None:
        end_trial(tx, trial, TrialStatus.CANCELED, "the test was withdrawn")
        withdrawn = str(trial.test_uuid)
    return withdrawn


# -- what the worker says ------------------------------------------------------------------


def report_trial(
    tx: Tx, worker_id: str, trial_id: str, said: Report, log: str, verdict: Verdict | None
) -> Row:
    """Apply a worker's message about a trial; return how the trial is now.

    A message that was applied before changes nothing. Raises `NotFound` and `StaleMessage`.
    """
    worker_rows.lock_worker(tx, worker_id)
    trial = find_own(tx, worker_id, trial_id, lock=True)
    if _is_old(trial, said):
        return trial
    if not trial.open or (said.epoch is not None and said.epoch != trial.epoch):
        raise StaleMessage(f"trial {trial_id} is over; stop working on it")
    changes = {"log": (trial.log + log)[:LONGEST_LOG], "seq": said.seq or trial.seq}
    trial = trial_rows.save_trial(tx, trial, **changes)
    if said.status is TaskStatus.COMPLETED and verdict:
        status = TrialStatus.PASSED if verdict.passed else TrialStatus.FAILED
        found = {"version": verdict.version, "picture": verdict.picture}
        end_trial(tx, trial, status, verdict.words, **found)
    elif said.status is TaskStatus.FAILED:
        version = verdict.version if verdict else ""
        end_trial(tx, trial, TrialStatus.FAILED, said.activity or "it failed", version=version)
    elif said.status is TaskStatus.QUEUED:
        # It goes to sleep, or stops: no fault of this machine.
        trial_rows.save_trial(tx, trial, status=TrialStatus.QUEUED)
    return trial


def find_own(tx: Tx, worker_id: str, trial_id: str, *, lock: bool = False) -> Row:
    """Return a trial of this worker; raises `NotFound`."""
    trial = trial_rows.find_trial(tx, trial_id, lock=lock)
    if trial is None or trial.worker_uuid != worker_id:
        raise NotFound(f"there is no task {trial_id}")
    return trial


def _is_old(trial: Row, said: Report) -> bool:
    return said.epoch == trial.epoch and said.seq is not None and said.seq <= trial.seq


# -- what the Manager does by itself --------------------------------------------------------


def is_anything_late(tx: Tx) -> bool:
    """Say whether there is something to give up or to delete. Changes nothing."""
    late = any(_late(tx, trial) for trial in trial_rows.open_trials(tx))
    return late or trial_rows.are_there_old(tx, tx.now - KEPT)


def give_up_trials(tx: Tx) -> list[str]:
    """End trials that take too long, delete old tests; return tests that have ended."""
    ended = []
    for found in trial_rows.open_trials(tx):
        # Locked as for a report, which may have ended it meanwhile.
        worker_rows.find_worker(tx, found.worker_uuid)
        trial = trial_rows.find_trial(tx, found.uuid, lock=True)
        if trial and trial.open and (words := _late(tx, trial)):
            end_trial(tx, trial, TrialStatus.FAILED, words)
            ended.append(str(trial.test_uuid))
    trial_rows.delete_tests(tx, tx.now - KEPT)
    return ended


def _late(tx: Tx, trial: Row) -> str:
    if trial.status == TrialStatus.ACTIVE and tx.now - trial.started_at > LONGEST_RUN:
        return f"it did not end within {LONGEST_RUN // 60_000_000} minutes"
    if trial.status == TrialStatus.QUEUED and tx.now - trial.asked_at > LONGEST_WAIT:
        return "the worker did not ask for it within a day; is it awake?"
    return ""
