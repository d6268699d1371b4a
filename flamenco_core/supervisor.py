"""Keeps services running: the work that goes on as long as the Manager or Worker does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from random import Random, SystemRandom

import anyio

from flamenco_core.backoff import Backoff
from flamenco_core.clock import Clock
from flamenco_core.offers.service import Service

__all__ = ["Supervisor"]

log = logging.getLogger(__name__)


class Supervisor:
    """Runs services in one task group until it is cancelled.

    A service that raises is logged and started again after a growing pause; it never
    takes the others with it. One with ``every`` is called again that many seconds after
    its round ended. One without ``every`` that returns has done its work.
    """

    def __init__(
        self,
        services: Iterable[Service],
        *,
        clock: Clock,
        random: Random | None = None,
        first_pause: float = 1.0,
        longest_pause: float = 60.0,
    ) -> None:
        self._services = tuple(services)
        self._clock = clock
        self._pauses: Callable[[], Backoff] = lambda: Backoff(
            first=first_pause, longest=longest_pause, random=random or SystemRandom()
        )
        self._longest = longest_pause
        self.failures: dict[str, int] = {service.name: 0 for service in self._services}
        """How often each service has raised."""

    async def run(self) -> None:
        """Run all services; returns only when each has done its work."""
        async with anyio.create_task_group() as group:
            for service in self._services:
                group.start_soon(self._keep, service, name=f"service {service.name}")

    async def _keep(self, service: Service) -> None:
        pauses = self._pauses()
        while True:
            started = self._clock.monotonic()
            failed = not await self._round(service)
            if not failed and service.every is None:
                return
            # A long good stretch shows that the fault is a new one, not the old again.
            if not failed or self._clock.monotonic() - started > self._longest:
                pauses.reset()
            await self._clock.sleep(pauses.pause() if failed else service.every or 0.0)

    async def _round(self, service: Service) -> bool:
        try:
            await service.run()
        # The border to other people's code: the farm goes on without it, and tries again.
        except Exception:
            self.failures[service.name] += 1
            log.exception("service %r failed; it will be started again", service.name)
            return False
        return True
