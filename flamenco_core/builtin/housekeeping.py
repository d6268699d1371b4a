"""Built-in: lost workers, who was seen, logs, the database, deletion."""

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
    """Offer what a Manager does by itself, whoever asks for what."""
    cleanup = host.settings.cleanup
    services = [
        Service(name="worker-timeouts", run=host.give_up_overdue, every=1.0, once_per_farm=True),
        Service(name="last-seen", run=host.save_seen, every=10.0),
        Service(name="task-logs", run=host.flush_logs, every=5.0),
        Service(name="database-look", run=host.database_care.look_often),
        Service(name="database-check", run=host.database_care.check_often),
        Service(name="job-deletion", run=host.deletion.run),
        # What an earlier Manager has left, and what could not be deleted the last time.
        Service(name="job-deletion-check", run=host.deletion.ask, every=60.0),
    ]
    if cleanup.enabled and cleanup.period:
        every = cleanup.period.seconds
        services.append(
            Service(name="cleanup", run=host.cleanup.run, every=every, once_per_farm=True)
        )
    return services
