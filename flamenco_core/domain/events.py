"""What can happen on a farm. Told after it is committed, through ``on_event``.

* Event
  x JobEvent: JobSubmitted, JobStatusChanged, JobUpdated, JobDeleted, JobBlocklistChanged,
    JobTasksImpossible, LastRenderedChanged
  x TaskEvent: TaskStatusChanged, TaskProgressed, TaskLogged
  x WorkerEvent: WorkerRegistered, WorkerStatusChanged, WorkerUpdated, WorkerDeleted,
    WorkerRemovalAnnounced, WorkerSecretChanged, WorkerTested
  x TagEvent: TagChanged, TagDeleted
  x HostEvent: ManagerStarted, ManagerStopping, DatabaseTrouble, JobTypesChanged, SettingsChanged;
               on a Worker: RunStarted, RunEnded

Events are hints: whoever missed some reads the present state again. Times are
microseconds since 1970, UTC.
"""

from __future__ import annotations

import attrs

from flamenco_core.domain.event_facts import (
    BlockFacts,
    ImageFacts,
    ImpossibleFacts,
    JobFacts,
    TagFacts,
    TaskFacts,
    WorkerFacts,
)
from flamenco_core.domain.statuses import JobStatus, TaskStatus, WorkerStatus
from flamenco_core.domain.trials import TrialStatus

__all__ = [
    "BlockFacts",
    "DatabaseTrouble",
    "Event",
    "HostEvent",
    "ImageFacts",
    "ImpossibleFacts",
    "JobBlocklistChanged",
    "JobDeleted",
    "JobEvent",
    "JobFacts",
    "JobStatusChanged",
    "JobSubmitted",
    "JobTasksImpossible",
    "JobTypesChanged",
    "JobUpdated",
    "LastRenderedChanged",
    "ManagerStarted",
    "ManagerStopping",
    "RunEnded",
    "RunStarted",
    "SettingsChanged",
    "TagChanged",
    "TagDeleted",
    "TagEvent",
    "TagFacts",
    "TaskEvent",
    "TaskFacts",
    "TaskLogged",
    "TaskProgressed",
    "TaskStatusChanged",
    "WorkerDeleted",
    "WorkerEvent",
    "WorkerFacts",
    "WorkerRegistered",
    "WorkerRemovalAnnounced",
    "WorkerSecretChanged",
    "WorkerStatusChanged",
    "WorkerTested",
    "WorkerUpdated",
]


@attrs.frozen
class Event:
    """Something that happened."""


@attrs.frozen
class JobEvent(Event):
    """Something that happened to a job."""


@attrs.frozen
class JobSubmitted(JobEvent):
    """A job was submitted."""

    job: JobFacts


@attrs.frozen(kw_only=True)
class JobStatusChanged(JobEvent):
    """A job has another status; with ``refresh_tasks`` many of its tasks have, too."""

    job: JobFacts
    previous_status: JobStatus
    reason: str = ""
    refresh_tasks: bool = False


@attrs.frozen
class JobUpdated(JobEvent):
    """A job's priority, tag or progress changed, or its deletion was requested."""

    job: JobFacts


@attrs.frozen
class JobDeleted(JobEvent):
    """A job is gone, with all that belonged to it."""

    job_id: str


@attrs.frozen(kw_only=True)
class JobBlocklistChanged(JobEvent):
    """Workers get no more tasks of a type from a job, or get them again.

    ``reason`` is "expired" when it was time for that, and empty when somebody wanted it.
    """

    job: JobFacts
    added: tuple[BlockFacts, ...] = ()
    removed: tuple[BlockFacts, ...] = ()
    reason: str = ""


@attrs.frozen(kw_only=True)
class JobTasksImpossible(JobEvent):
    """A job has tasks that nobody may run, or has none such any more (no ``tasks``)."""

    job: JobFacts
    tasks: tuple[ImpossibleFacts, ...] = ()


@attrs.frozen
class LastRenderedChanged(JobEvent):
    """A job has a new image; its files are there."""

    image: ImageFacts


@attrs.frozen
class TaskEvent(Event):
    """Something that happened to a task."""


@attrs.frozen(kw_only=True)
class TaskStatusChanged(TaskEvent):
    """A task has another status."""

    task: TaskFacts
    previous_status: TaskStatus


@attrs.frozen
class TaskProgressed(TaskEvent):
    """A task has made some steps."""

    task: TaskFacts


@attrs.frozen(kw_only=True)
class TaskLogged(TaskEvent):
    """Text was added to a task's log."""

    task_id: str
    job_id: str
    text: str


@attrs.frozen
class WorkerEvent(Event):
    """Something that happened to a worker."""


@attrs.frozen
class WorkerRegistered(WorkerEvent):
    """A machine joined the farm."""

    worker: WorkerFacts


@attrs.frozen(kw_only=True)
class WorkerStatusChanged(WorkerEvent):
    """A worker has another status."""

    worker: WorkerFacts
    previous_status: WorkerStatus
    reason: str = ""


@attrs.frozen
class WorkerUpdated(WorkerEvent):
    """A worker's tags, requested status or task changed."""

    worker: WorkerFacts


@attrs.frozen
class WorkerDeleted(WorkerEvent):
    """A worker was removed from the farm."""

    worker: WorkerFacts


@attrs.frozen
class WorkerSecretChanged(WorkerEvent):
    """A worker has another secret, or was asked to make one."""

    worker: WorkerFacts


@attrs.frozen(kw_only=True)
class WorkerRemovalAnnounced(WorkerEvent):
    """A worker was not heard of for long, and is removed at ``removal_at`` unless it calls."""

    worker: WorkerFacts
    removal_at: int


@attrs.frozen(kw_only=True)
class WorkerTested(WorkerEvent):
    """A test that somebody asked for has ended; its results can be read."""

    worker: WorkerFacts
    test_id: str
    status: TrialStatus


@attrs.frozen
class TagEvent(Event):
    """Something that happened to a worker tag."""


@attrs.frozen
class TagChanged(TagEvent):
    """A tag was made, or has another name or description."""

    tag: TagFacts


@attrs.frozen
class TagDeleted(TagEvent):
    """A tag was deleted; its jobs are for all workers now."""

    tag_id: str


@attrs.frozen
class HostEvent(Event):
    """Something that happened to the process itself."""


@attrs.frozen
class ManagerStarted(HostEvent):
    """The Manager is ready."""


@attrs.frozen
class ManagerStopping(HostEvent):
    """The Manager is about to stop."""


@attrs.frozen
class DatabaseTrouble(HostEvent):
    """Changes cannot be stored, or the data is damaged; an empty message: all is well again."""

    message: str


@attrs.frozen(kw_only=True)
class JobTypesChanged(HostEvent):
    """Other job types can be submitted than before, or others are broken.

    Each of several Managers finds that out by itself. A changed one has other settings or
    another source. ``problems`` are all that there are now: the name of a job type, and
    what is wrong with it.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()


@attrs.frozen(kw_only=True)
class SettingsChanged(HostEvent):
    """The Manager goes by other settings than before; ``keys`` are their names.

    The values are not told: some are secret. ``source`` is ``file``, ``web`` or ``command
    line``, and ``who`` the name of the person if that is known. ``restart_needed`` are all
    keys whose new values count after a restart only, earlier changes' too.
    """

    keys: tuple[str, ...]
    source: str
    who: str = ""
    restart_needed: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class RunStarted(HostEvent):
    """This Worker has begun to run a task."""

    task_id: str
    job_id: str
    name: str


@attrs.frozen(kw_only=True)
class RunEnded(HostEvent):
    """This Worker has ended its run of a task: completed, failed or stopped."""

    task_id: str
    job_id: str
    name: str
    outcome: str
    reason: str = ""
