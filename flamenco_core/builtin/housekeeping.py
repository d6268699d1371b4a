"""Built-in: look after workers and jobs, delete what is marked.

Every Manager says which workers it has heard of; one of them decides who is lost, and one
deletes. Which one that is does not matter for the check: it wakes whoever has the duty.
"""

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
    """Offer what the Manager does by itself, from the time-out of workers on."""
    cleanup = host.settings.cleanup
    services = [
        Service(name="worker-timeouts", run=host.give_up_overdue, every=0.5, once_per_farm=True),
        Service(name="worker-watch", run=host.timeouts.watch, every=1.0),
        Service(name="task-timeouts", run=host.fail_silent_tasks, every=5.0),
        Service(name="long-runs", run=host.long_runs.look, every=5.0, once_per_farm=True),
        Service(name="contacts", run=host.liveness.run),
        Service(name="last-seen", run=host.save_seen, every=10.0),
        Service(name="settings-file", run=host.configuration.look, every=2.0),
        Service(name="settings-of-others", run=host.neighbors.compare, every=6.0),
        Service(name="job-types", run=host.job_type_watch.look, every=1.0),
        Service(name="sleep-schedules", run=host.sleeping.follow, every=5.0, once_per_farm=True),
        Service(name="stuck-jobs", run=host.stuck.watch, every=60.0, once_per_farm=True),
        Service(name="blocklists", run=host.expire_blocks, every=1.0, once_per_farm=True),
        Service(name="old-workers", run=host.old_workers.look, every=600.0, once_per_farm=True),
        Service(name="worker-tests", run=host.trials.look, every=30.0, once_per_farm=True),
        Service(name="last-rendered", run=host.last_rendered.serve),
        Service(name="task-logs", run=host.flush_logs, every=5.0),
        Service(name="database-look", run=host.database_care.look_often),
        Service(name="database-check", run=host.database_care.check_often),
        Service(name="job-deletion", run=host.deletion.run, once_per_farm=True),
        # What an earlier Manager has left, and what could not be deleted the last time.
        Service(name="job-deletion-check", run=host.deletion.ask, every=60.0),
    ]
    if cleanup.enabled and cleanup.period:
        every = cleanup.period.seconds
        services.append(
            Service(name="cleanup", run=host.cleanup.run, every=every, once_per_farm=True)
        )
    return services
