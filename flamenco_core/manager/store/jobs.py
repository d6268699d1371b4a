"""Rows of jobs."""

from __future__ import annotations

from typing import Any

import attrs
from sqlalchemy import bindparam, exists, func, insert, select, update

from flamenco_core.domain.events import JobFacts
from flamenco_core.domain.jobs import Tally
from flamenco_core.domain.statuses import JobStatus, TaskStatus, Wanted
from flamenco_core.errors import NotFound
from flamenco_core.manager.store.query import Query, Row, literal, one
from flamenco_core.manager.store.tables import jobs, lanes, tags, tasks
from flamenco_core.manager.store.transaction import Tx

__all__ = [
    "Counts",
    "JobState",
    "all_jobs",
    "all_states",
    "count_all",
    "count_in",
    "count_tasks",
    "counts_of",
    "insert_job",
    "is_active",
    "job_by_uuid",
    "job_facts",
    "load_state",
    "lock_job",
    "save_state",
    "set_counts",
    "states_between",
    "tally_of",
]

_BY_UUID = Query(
    select(jobs, tags.c.uuid.label("tag_uuid"))
    .join(tags, tags.c.id == jobs.c.tag_id, isouter=True)
    .where(jobs.c.uuid == bindparam("uuid"))
)
_ALL = Query(
    select(jobs, tags.c.uuid.label("tag_uuid"))
    .join(tags, tags.c.id == jobs.c.tag_id, isouter=True)
    .order_by(jobs.c.id)
)


def job_by_uuid(tx: Tx, uuid: str) -> Row:
    """Return a job with its tag's UUID.

    Raises `NotFound`.
    """
    row = tx.one(_BY_UUID, uuid=uuid)
    if row is None:
        raise NotFound(f"there is no job {uuid}")
    return row


def all_jobs(tx: Tx) -> list[Row]:
    """Return all jobs, oldest first."""
    return tx.all(_ALL)


_INSERT = Query(
    insert(jobs).values(
        {c.name: bindparam(c.name) for c in jobs.c if c.name != "delete_requested_at"}
    )
)


def insert_job(tx: Tx, row: dict[str, Any]) -> None:
    """Insert a job."""
    tx.run(_INSERT, **row)


COUNTED = frozenset({"completed", "failed", "canceled", "paused"})
"""Statuses of tasks that a job counts; the rest of its tasks is open."""


@attrs.define(kw_only=True)
class JobState:
    """That part of a job that its tasks' changes touch; loaded, changed, saved."""

    id: int
    uuid: str
    name: str
    type: str
    priority: int
    status: JobStatus
    wanted: Wanted
    started: bool
    activity: str
    tag_id: int
    total: int
    completed: int
    failed: int
    canceled: int
    paused: int
    steps_completed: int
    steps_total: int
    delete_requested_at: int | None

    @property
    def runs(self) -> bool:
        """Whether its tasks may be given out."""
        return self.wanted is Wanted.RUN and self.delete_requested_at is None

    def count(self, old: TaskStatus, new: TaskStatus, steps: int = 0) -> None:
        """Take in that a task went from one status to another and made so many steps."""
        self.steps_completed += steps
        if old in COUNTED:
            setattr(self, old, getattr(self, old) - 1)
        if new in COUNTED:
            setattr(self, new, getattr(self, new) + 1)

    @property
    def is_held(self) -> bool:
        """Whether people want it paused."""
        return self.wanted is Wanted.PAUSE


_COLUMNS = (
    jobs.c.id,
    jobs.c.uuid,
    jobs.c.name,
    jobs.c.type,
    jobs.c.priority,
    jobs.c.status,
    jobs.c.wanted,
    jobs.c.started,
    jobs.c.activity,
    jobs.c.tag_id,
    jobs.c.tasks_total.label("total"),
    jobs.c.tasks_completed.label("completed"),
    jobs.c.tasks_failed.label("failed"),
    jobs.c.tasks_canceled.label("canceled"),
    jobs.c.tasks_paused.label("paused"),
    jobs.c.steps_completed,
    jobs.c.steps_total,
    jobs.c.delete_requested_at,
)
_STATE = select(*_COLUMNS)
_STATE_OF_JOB = _STATE.where(jobs.c.id == bindparam("job"))
_LOAD = {
    False: Query(_STATE_OF_JOB),
    True: Query(_STATE_OF_JOB.with_for_update(key_share=True)),
}


def load_state(tx: Tx, job: int) -> JobState:
    """Return a job's state, locked for this transaction.

    Every change of a task counts in its job, so on a busy farm many wait for this lock: take
    it late.
    """
    row = tx.one(_LOAD[tx.shared], job=job)
    assert row is not None, f"job row {job} vanished"
    return _state_of(row)


def _state_of(row: Row) -> JobState:
    fields = row._asdict()
    fields.update(
        status=JobStatus(row.status), wanted=Wanted(row.wanted), started=bool(row.started)
    )
    return JobState(**fields)


_COUNT_IN = Query(
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(
        tasks_completed=jobs.c.tasks_completed + bindparam("completed"),
        tasks_failed=jobs.c.tasks_failed + bindparam("failed"),
        tasks_canceled=jobs.c.tasks_canceled + bindparam("canceled"),
        tasks_paused=jobs.c.tasks_paused + bindparam("paused"),
        steps_completed=jobs.c.steps_completed + bindparam("steps"),
        updated_at=bindparam("now"),
    )
    .returning(*_COLUMNS)
)


def count_in(tx: Tx, job: int, old: TaskStatus, new: TaskStatus, steps: int) -> JobState:
    """Store that a task went from one status to another; return the job's state, locked."""
    changes = {word: (new == word) - (old == word) for word in COUNTED}
    row = tx.one(_COUNT_IN, job=job, steps=steps, now=tx.now, **changes)
    assert row is not None, f"job row {job} vanished"
    return _state_of(row)


_LOCK = Query(select(jobs.c.id).where(jobs.c.uuid == bindparam("uuid")).with_for_update())
_FIND = Query(select(jobs.c.id).where(jobs.c.uuid == bindparam("uuid")))


def lock_job(tx: Tx, uuid: str) -> JobState:
    """Return the state of the job with this UUID, locked with all its tasks.

    Whoever changes one of them holds the job's key (see `tasks.reported_task`); this waits
    until nobody does, and nobody can until it commits. Raises `NotFound`.
    """
    id = tx.value(_LOCK if tx.shared else _FIND, uuid=uuid)
    if id is None:
        raise NotFound(f"there is no job {uuid}")
    return load_state(tx, id)


_SAVE = Query(
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(
        status=bindparam("status"),
        wanted=bindparam("wanted"),
        started=bindparam("started"),
        activity=bindparam("activity"),
        tasks_completed=bindparam("completed"),
        tasks_failed=bindparam("failed"),
        tasks_canceled=bindparam("canceled"),
        tasks_paused=bindparam("paused"),
        steps_completed=bindparam("steps"),
        updated_at=bindparam("now"),
    )
)


def save_state(tx: Tx, job: JobState) -> None:
    """Store a job's state."""
    tx.run(
        _SAVE,
        job=job.id,
        status=job.status,
        wanted=job.wanted,
        started=int(job.started),
        activity=job.activity,
        completed=job.completed,
        failed=job.failed,
        canceled=job.canceled,
        paused=job.paused,
        steps=job.steps_completed,
        now=tx.now,
    )


def job_facts(tx: Tx, job: JobState) -> JobFacts:
    """Return a job's state as the facts of an event."""
    return JobFacts(
        id=job.uuid,
        name=job.name,
        type=job.type,
        priority=job.priority,
        status=job.status,
        updated=tx.now,
        steps_completed=job.steps_completed,
        steps_total=job.steps_total,
        delete_requested_at=job.delete_requested_at,
    )


_IS_ACTIVE = Query(
    select(exists().where(tasks.c.job_id == bindparam("job"), tasks.c.status == literal("active")))
)
_CAN_START = Query(
    select(
        exists()
        .where(lanes.c.job_id == bindparam("job"))
        .where(tasks.c.lane_id == lanes.c.id, tasks.c.ready == one)
    )
)


def is_active(tx: Tx, job: JobState) -> bool:
    """Say whether any task of a job is at work."""
    return bool(tx.value(_IS_ACTIVE, job=job.id))


def tally_of(tx: Tx, job: JobState) -> Tally:
    """Count a job's tasks; what the counters do not tell is only asked for if it matters."""
    tally = Tally(
        total=job.total,
        completed=job.completed,
        failed=job.failed,
        canceled=job.canceled,
        paused=job.paused,
    )
    if tally.plain and job.wanted is Wanted.RUN:
        return tally
    return attrs.evolve(
        tally,
        active=int(is_active(tx, job)),
        can_start=bool(tx.value(_CAN_START, job=job.id)),
    )


_COUNT = select(
    tasks.c.job_id,
    tasks.c.status,
    func.count().label("tasks"),
    func.sum(tasks.c.steps_completed).label("steps"),
).group_by(tasks.c.job_id, tasks.c.status)
_COUNT_OF_JOB = Query(_COUNT.where(tasks.c.job_id == bindparam("job")))
_COUNT_ALL = Query(_COUNT)
Counts = list[Row]
"""How many tasks of a job have which ``status``, and how many steps they made."""


def count_tasks(tx: Tx, job: JobState) -> None:
    """Bring a job's counters in line with its tasks."""
    set_counts(job, counts_of(tx, job))


def count_all(tx: Tx) -> dict[int, Counts]:
    """Count the tasks of all jobs."""
    found: dict[int, Counts] = {}
    for row in tx.all(_COUNT_ALL):
        found.setdefault(row.job_id, []).append(row)
    return found


def set_counts(job: JobState, counts: Counts) -> None:
    """Set a job's counters."""
    by_status = {row.status: row for row in counts}
    for word in COUNTED:
        setattr(job, word, by_status[word].tasks if word in by_status else 0)
    job.steps_completed = int(sum(row.steps for row in counts))


_STATES = Query(_STATE.order_by(jobs.c.id))
_BETWEEN = ("cancel-requested", "pause-requested", "requeueing")
_STATES_BETWEEN = Query(
    _STATE.where(jobs.c.status.in_([*map(literal, _BETWEEN)])).order_by(jobs.c.id)
)


def all_states(tx: Tx) -> list[JobState]:
    """Return the states of all jobs, none of them locked."""
    return [_state_of(row) for row in tx.all(_STATES)]


def states_between(tx: Tx) -> list[JobState]:
    """Return the states of jobs that are on their way to another status; none is locked."""
    return [_state_of(row) for row in tx.all(_STATES_BETWEEN)]


def counts_of(tx: Tx, job: JobState) -> Counts:
    """Count the tasks of one job."""
    return tx.all(_COUNT_OF_JOB, job=job.id)
