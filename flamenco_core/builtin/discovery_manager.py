"""Built-in: makes the Manager findable, by SSDP and by zeroconf.

It says only what the server has said: a Manager below another application's server does
not know where it is, and stays silent.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import attrs

from flamenco_core import __version__
from flamenco_core.builtin.announcement import Announcement
from flamenco_core.builtin.own_addresses import Card, own_addresses
from flamenco_core.builtin.ssdp_announce import SsdpAnnouncer
from flamenco_core.builtin.upnp_description import describe_as
from flamenco_core.builtin.zeroconf_announce import announce_zeroconf
from flamenco_core.hookspecs import hookimpl
from flamenco_core.offers.service import Service

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["AnnouncementSettings", "register_routes", "register_services"]

log = logging.getLogger(__name__)

AGAIN = 30.0
"""Seconds after which a network that was not there is tried again."""
LOOK = 15.0
"""Seconds between looks at this machine's addresses: cables are plugged, leases end."""

Ready = Callable[[str], None]
Moved = Callable[[], Awaitable[None]]


@attrs.frozen(kw_only=True)
class AnnouncementSettings:
    """Section ``discovery``: the ways to be found, if ``autodiscoverable`` is on.

    A Manager that only its own machine can reach announces itself by zeroconf only with
    ``zeroconf_on_loopback``: zeroconf's library listens on all networks whatever it is told,
    and SSDP finds such a Manager as well.
    """

    ssdp: bool = True
    ssdp_address: str = "239.255.255.250"
    ssdp_port: int = 1900
    zeroconf: bool = True
    zeroconf_on_loopback: bool = False


@hookimpl
def register_services(host: Manager) -> Iterable[Service]:
    """Offer to answer those who search, unless the settings say that nobody should."""
    settings: AnnouncementSettings = host.settings_of("discovery", AnnouncementSettings)
    if not host.settings.autodiscoverable:
        return []
    ways = []
    if settings.ssdp:
        ways.append(_Way(host, "ssdp", _by_ssdp(host, settings)))
    if settings.zeroconf:
        ways.append(_Way(host, "zeroconf", _by_zeroconf(settings)))
    return [Service(name=f"announce-{way.name}", run=way.run, every=AGAIN) for way in ways]


@hookimpl
def register_routes(manager: Manager) -> Iterable[Any]:
    """Offer the description that answers by SSDP point at, if anybody may read it."""
    is_found = manager.settings.autodiscoverable
    return [describe_as(manager.settings.manager_name)] if is_found else []


def _by_ssdp(
    host: Manager, settings: AnnouncementSettings
) -> Callable[[Announcement, Ready, Moved], Awaitable[None]]:
    group = (settings.ssdp_address, settings.ssdp_port)

    async def stay(here: Announcement, ready: Ready, moved: Moved) -> None:
        await SsdpAnnouncer(here=here, group=group, clock=host.clock).stay(ready, moved)

    return stay


def _by_zeroconf(
    settings: AnnouncementSettings,
) -> Callable[[Announcement, Ready, Moved], Awaitable[None]]:
    async def stay(here: Announcement, ready: Ready, moved: Moved) -> None:
        if here.is_local and not settings.zeroconf_on_loopback:
            await moved()
        else:
            await announce_zeroconf(here, ready, moved)

    return stay


@attrs.define
class _Way:
    """One way of being found, and what was last said about it in the log."""

    host: Manager
    name: str
    _stay: Callable[[Announcement, Ready, Moved], Awaitable[None]]
    _said: str = ""

    async def run(self) -> None:
        """Be findable for as long as that works; the supervisor calls again."""
        if silence := _why_not(self.host):
            self._say(logging.INFO, f"Workers cannot find this Manager by {self.name}: {silence}")
            return
        try:
            while True:
                await self._stay_put(await anyio.to_thread.run_sync(own_addresses))
        except OSError as error:
            self._say(
                logging.WARNING,
                f"Workers cannot find this Manager by {self.name}: {error.strerror or error};"
                " until that works, start them with --manager URL",
            )

    async def _stay_put(self, own: Sequence[Card]) -> None:
        """Be findable until this machine's addresses are others than *own*."""

        async def moved() -> None:
            # One error ends it as well; asking anew tells then what is wrong.
            with contextlib.suppress(OSError):
                while await anyio.to_thread.run_sync(own_addresses) == own:
                    await self.host.clock.sleep(LOOK)

        here = Announcement(
            name=self.host.settings.manager_name,
            version=__version__,
            served=self.host.served,
            own=own,
        )
        await self._stay(here, lambda how: self._say(logging.INFO, f"can be found {how}"), moved)

    def _say(self, level: int, text: str) -> None:
        # Once, not every half a minute for as long as nothing changes.
        if text != self._said:
            self._said = text
            log.log(level, text)


def _why_not(host: Manager) -> str:
    """Say why nobody should find the Manager yet; empty if everybody may."""
    if not host.served:
        return "it runs below a server that did not say where it listens"
    if host.settings.is_first_run:
        return "it is not set up yet; set 'shared_storage_path' first"
    return ""
