"""Keeps services running: the work that goes on as long as the Manager or Worker does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from enum import Enum, auto
from random import Random, SystemRandom
from typing import Protocol

import anyio

from flamenco_core.backoff import Backoff
from flamenco_core.clock import Clock
from flamenco_core.errors import DutyLost
from flamenco_core.offers.service import Service

__all__ = ["Duties", "Supervisor"]

log = logging.getLogger(__name__)


class Duties(Protocol):
    """Which of several processes does what only one of them may do, by name."""

    async def taken(self, duty: str) -> None:
        """Return when this process has a duty."""

    async def lost(self, duty: str) -> None:
        """Return when it has that duty no longer."""

    def doing(self, duty: str) -> AbstractContextManager[None]:
        """Let whatever inside needs the duty raise `DutyLost` once it is lost."""


class _End(Enum):
    DONE = auto()
    FAILED = auto()
    LOST = auto()


class Supervisor:
    """Runs services in one task group until it is cancelled.

    A service that raises is logged and started again after a growing pause; it never
    takes the others with it. One with ``every`` is called again that many seconds after
    its round ended. One without ``every`` that returns has done its work.

    One with ``once_per_farm`` waits until this process has the duty of its name, and is
    cancelled when that is lost. Without *duties* there is nobody to share them with.
    """

    def __init__(
        self,
        services: Iterable[Service],
        *,
        clock: Clock,
        duties: Duties | None = None,
        random: Random | None = None,
        first_pause: float = 1.0,
        longest_pause: float = 60.0,
    ) -> None:
        self._services = tuple(services)
        self._clock = clock
        self._duties = duties
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
            end = await self._round(service)
            if end is _End.DONE and service.every is None:
                return
            if end is _End.LOST:
                continue
            failed = end is _End.FAILED
            # A long good stretch shows that the fault is a new one, not the old again.
            if not failed or self._clock.monotonic() - started > self._longest:
                pauses.reset()
            await self._clock.sleep(pauses.pause() if failed else service.every or 0.0)

    async def _round(self, service: Service) -> _End:
        try:
            if service.once_per_farm and self._duties is not None:
                return await self._alone(service, self._duties)
            await service.run()
        # The border to other people's code: the farm goes on without it, and tries again.
        except Exception:
            self.failures[service.name] += 1
            log.exception("service %r failed; it will be started again", service.name)
            return _End.FAILED
        return _End.DONE

    async def _alone(self, service: Service, duties: Duties) -> _End:
        await duties.taken(service.name)
        end = _End.LOST
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                await duties.lost(service.name)
                group.cancel_scope.cancel()

            group.start_soon(watch)
            # It may be lost before anybody here knows of it, after a freeze.
            with suppress(DutyLost), duties.doing(service.name):
                await service.run()
                end = _End.DONE
            group.cancel_scope.cancel()
        if end is _End.LOST:
            log.warning("service %r goes on in another Manager", service.name)
        return end
