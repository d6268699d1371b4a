"""Every hook of Flamenco, in the order in which a farm calls them.

The verb is the contract; ``tests/contract/test_hookspecs.py`` enforces it.

============  =======================================================  ============
verb          meaning                                                  async?
============  =======================================================  ============
``register``  say what you offer; called once, at start                never
``find``      first answer that is not None wins                       may be
``choose``    as find, but pure: no I/O                                never
``check``     every problem counts; no problems means go ahead         may be
``wrap``      async context managers, entered around the work          returns one
``on``        told after the fact; result ignored, errors isolated     may be
============  =======================================================  ============

An implementation names only the parameters that it uses. The plugin that was
registered last is asked first; the built-ins come last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from pathlib import Path

    from flamenco_core.domain.events import Event
    from flamenco_core.domain.scheduling import Candidate, WorkerAtWork
    from flamenco_core.host import Host
    from flamenco_core.manager.host import Manager
    from flamenco_core.offers import (
        Action,
        Command,
        Identity,
        JobType,
        JobTypeLike,
        JobTypes,
        Problem,
        Service,
        Storage,
        Subcommand,
        Submission,
        TaskToRun,
        Trial,
        Variable,
    )
    from flamenco_core.worker.host import Worker

PROJECT = "flamenco"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

# ------------------------------------------------------------------- both: start


@hookspec
def register_subcommands(host: Host | None) -> Iterable[Subcommand]:
    """Offer sub-commands of the ``flamenco`` program.

    ``host`` is None while the command line is read: nothing runs yet.
    """


@hookspec
def register_services(host: Host) -> Iterable[Service]:
    """Offer work that goes on as long as the Manager or Worker does.

    The supervisor starts each service when the host is ready, restarts it with growing
    pauses if it raises, and cancels it at the end.
    """


@hookspec
def register_trials(host: Host) -> Iterable[Trial]:
    """Offer small pieces of work that show what a worker can do.

    A Manager has any worker run them when a person asks for a test; ``flamenco worker
    check`` runs them on the machine itself.
    """


# -------------------------------------------------------------- both: when needed


@hookspec
def find_program(name: str, given: str, host: Host | None) -> Sequence[str] | None:
    """Return the arguments that start a program, or None if it is not yours to find.

    ``name`` is what it is called in lower case, such as ``blender``. ``given`` is what a
    person named in its place, or empty. ``host`` is None for the command line. Raise
    `FlamencoError` when what was given is not such a program.
    """


@hookspec
def find_job_type(path: Path, host: Host | None) -> JobTypeLike | None:
    """Return the job type that a file defines, or None if it is not your kind of file.

    Called by those who check a file before it is used; ``host`` is None for the command
    line. Raise `JobTypeError` that says what is wrong with it, and in which line.
    """


# ---------------------------------------------------------------- manager: start


@hookspec
def register_job_types(manager: Manager) -> Iterable[type[JobType] | JobTypeLike | JobTypes]:
    """Offer job types, or changing sets of them."""


@hookspec
def register_storages(manager: Manager) -> Iterable[Storage]:
    """Offer a way to keep the files of jobs; the last one offered is used."""


@hookspec
def register_variables(manager: Manager) -> Iterable[Variable]:
    """Offer variables; those of the settings file win over them."""


@hookspec
def register_routes(manager: Manager) -> Iterable[Any]:
    """Offer Litestar route handlers, controllers or routers.

    Paths are absolute; two handlers for one path stop the start. What `operation` says of a
    route is in the API document, and `check_access` hears its name.
    """


# ------------------------------------------------------------- manager: requests


@hookspec
def find_identity(connection: Any, manager: Manager) -> Identity | None:
    """Say who is behind a request, or None if these credentials are not yours.

    ``connection`` is Litestar's ASGIConnection. Raise `Forbidden` for credentials that
    are yours but wrong.
    """


@hookspec
def check_access(identity: Identity, action: Action, manager: Manager) -> Iterable[Problem]:
    """Say why this identity may not do this; called before each operation."""


@hookspec
def check_submission(job: Submission, manager: Manager) -> Iterable[Problem]:
    """Say why this job must not be submitted; the artist reads the message."""


@hookspec
def choose_task(worker: WorkerAtWork, candidates: tuple[Candidate, ...]) -> Candidate | None:
    """Choose what a worker does next, or None to leave it to the next plugin.

    Each candidate is the first task of one job, task type and task priority that this
    worker may run; they come in the farm's order: job priority, task priority, turn,
    creation. Called while the database waits, so compute only.
    """


# ----------------------------------------------------------------- worker: start


@hookspec
def register_commands(worker: Worker) -> Iterable[type[Command]]:
    """Offer commands that tasks may run on this worker."""


@hookspec
def find_manager(worker: Worker) -> str | None:
    """Return the URL of a Manager to work for, or None."""


@hookspec
def check_readiness(worker: Worker) -> Iterable[Problem]:
    """Say what keeps this worker from running tasks; called before it signs on.

    A problem that ``affects`` task types only takes these away; one that affects
    everything keeps the worker from signing on.
    """


# ------------------------------------------------------------------ worker: work


@hookspec
def wrap_task(task: TaskToRun, worker: Worker) -> AbstractAsyncContextManager[None] | None:
    """Surround the run of a task: mount a share, take a licence, make a folder.

    An exception fails the task and names the plugin.
    """


# ------------------------------------------------------------------ both: events


@hookspec
def on_event(event: Event, host: Host) -> None:
    """Hear of something that has happened and is committed.

    Where several Managers share a database, the one on which it happened hears of it.
    """
