"""Built-in: give up lost workers, store who was seen, delete what is marked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flamenco_core.hookspecs import hookimpl
from flamenco_core.offers.service import Service

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["register_services"]


@hookimpl
def register_services(host: Manager) -> Iterable[Service]:
    """Offer the time-out of workers, when they were seen, and the deletion of jobs."""
    return [
        Service(name="worker-timeouts", run=host.give_up_overdue, every=1.0, once_per_farm=True),
        Service(name="task-timeouts", run=host.fail_silent_tasks, every=5.0),
        Service(name="last-seen", run=host.save_seen, every=10.0),
        Service(name="settings-file", run=host.configuration.look, every=2.0),
        Service(name="job-types", run=host.job_type_watch.look, every=1.0),
        Service(name="job-deletion", run=host.deletion.run),
        # What an earlier Manager has left, and what could not be deleted the last time.
        Service(name="job-deletion-check", run=host.deletion.ask, every=60.0),
    ]
