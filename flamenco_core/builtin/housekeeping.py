"""Built-in: give up workers not heard of, store who was, and look at new images."""

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
    """Offer the time-out of workers, the storing of when they were seen, and images."""
    return [
        Service(name="worker-timeouts", run=host.give_up_overdue, every=1.0, once_per_farm=True),
        Service(name="last-seen", run=host.save_seen, every=10.0),
        Service(name="last-rendered", run=host.last_rendered.serve),
    ]
