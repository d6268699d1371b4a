"""Tell plugins what has happened: each at its own pace, so that one that hangs is alone."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from flamenco_core.manager.subscription import BEHIND, Numbered, Subscription

if TYPE_CHECKING:
    from flamenco_core.host import Host
    from flamenco_core.plugins import Plugins

__all__ = ["Audience"]

log = logging.getLogger(__name__)

HOOK = "on_event"
LIMIT = 60.0
"""Seconds that a plugin may take for one event."""
PAUSE = 0.1
"""Seconds of rest for a plugin that failed, times its failures in a row."""
IN_A_ROW = 20
"""So many failures one after the other, and a plugin hears nothing more."""


class Audience:
    """The plugins that listen, with what each has still to hear."""

    def __init__(self, plugins: Plugins, host: Host) -> None:
        self._plugins = plugins
        self._host = host
        self._waiting = {name: Subscription() for name in plugins.listeners(HOOK)}

    def put(self, numbered: Numbered) -> int:
        """Let all hear of an event; return how many are so slow that they miss some."""
        return sum(not queue.put(numbered) for queue in self._waiting.values())

    def close(self) -> None:
        """Let `run` end when everybody has heard what there is."""
        for queue in self._waiting.values():
            queue.close()

    async def run(self) -> None:
        """Call each plugin for each event, in order, until `close`."""
        async with asyncio.TaskGroup() as group:
            for name, queue in self._waiting.items():
                group.create_task(self._tell(name, queue), name=f"events for plugin {name}")

    async def _tell(self, name: str, queue: Subscription) -> None:
        failures = 0
        async for numbered in queue:
            if numbered.event is None:
                log.warning("plugin %r is too slow: more than %s events were dropped", name, BEHIND)
                continue
            told = {"event": numbered.event, "host": self._host}
            went_well = await self._plugins.tell_one(name, HOOK, LIMIT, **told)
            failures = 0 if went_well else failures + 1
            if failures == IN_A_ROW:
                self._plugins.note(name, f"{HOOK} failed {failures} times in a row; not called now")
                queue.close()
                return
            if failures:
                # It may have held everybody up: the others first.
                await self._host.clock.sleep(PAUSE * failures)
