"""Changes this Worker's secret every few weeks, and when its Manager asks for it."""

from __future__ import annotations

import logging

from flamenco_core.errors import Busy, Refused
from flamenco_core.worker.client import ManagerClient
from flamenco_core.worker.host import Worker
from flamenco_core.worker.signon import SignOn

__all__ = ["Rotation"]

log = logging.getLogger(__name__)

LOOK = 2.0
"""Seconds between two looks whether it is time."""
SOON = 60.0
"""Seconds until it is tried again when the Manager or the disk was not to be had."""
LATER = 24 * 3600.0
"""Seconds until it is tried again when the Manager knows nothing of such changes."""
DAY = 24 * 3600 * 1_000_000


class Rotation:
    """Lives beside the work: the former secret counts for a while, so nothing waits."""

    def __init__(self, worker: Worker, client: ManagerClient, sign_on: SignOn) -> None:
        self._worker = worker
        self._client = client
        self._sign_on = sign_on

    async def run(self) -> None:
        """Change the secret whenever it is time."""
        while True:
            await self._worker.clock.sleep(LOOK)
            if not self._is_time():
                continue
            # The present one is as good as it was: there is no hurry.
            try:
                if not await self._sign_on.change_secret():
                    await self._worker.clock.sleep(LATER)
            except (Busy, Refused, OSError) as error:
                log.warning("cannot change this worker's secret now: %s", error)
                await self._worker.clock.sleep(SOON)
            else:
                self._client.must_rotate = False

    def _is_time(self) -> bool:
        credentials, days = self._sign_on.credentials, self._worker.settings.rotate_secret_after
        if credentials is None or not self._sign_on.is_on:
            return False
        age = self._worker.clock.now() - credentials.changed_at
        return self._client.must_rotate or bool(days and age >= days * DAY)
