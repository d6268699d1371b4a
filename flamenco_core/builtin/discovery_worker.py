"""Finds the Manager: the settings, the environment, then the network.

The network is asked for a host name (DNS), by SSDP and by zeroconf.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
import attrs
import httpx

from flamenco_core import hookimpl
from flamenco_core.builtin.dns_search import search_dns
from flamenco_core.builtin.ssdp_search import search_ssdp

if TYPE_CHECKING:
    from flamenco_core.worker.host import Worker

__all__ = ["DiscoverySettings"]

log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class DiscoverySettings:
    """Section ``discovery``: how to search; times in seconds.

    ``manager_name`` is which Manager to work for, where several can be found; empty is any.
    ``dns_name`` is a host name that the studio's DNS may have for its Manager; empty asks
    for none. ``interface`` is the IPv4 address of the network card to search on; empty
    leaves the choice to the system.
    """

    manager_name: str = ""
    dns_name: str = "flamenco-manager"
    dns_port: int = 8080
    ssdp: bool = True
    ssdp_address: str = "239.255.255.250"
    ssdp_port: int = 1900
    zeroconf: bool = True
    interface: str = ""
    rounds: int = 3
    round_time: float = 2.0
    answer_time: float = 3.0


@hookimpl
async def find_manager(worker: Worker) -> str | None:
    """Return the first Manager that answers; None if there is none, for now."""
    if url := worker.settings.manager_url.strip() or os.environ.get("FLAMENCO_MANAGER_URL"):
        return url
    settings: DiscoverySettings = worker.settings_of("discovery", DiscoverySettings)
    for _ in range(settings.rounds):
        for url in await _search(settings):
            name = await _name_of_manager(url, settings.answer_time)
            if name is None:
                continue
            if _is_meant(name, settings.manager_name):
                log.info("found the Manager %r at %s", name, url)
                return url
            log.info(
                "passing over the Manager %r at %s: manager_name is %r",
                *(name, url, settings.manager_name),
            )
    return None


def _is_meant(name: str, wanted: str) -> bool:
    return not wanted.strip() or name.strip().lower() == wanted.strip().lower()


async def _search(settings: DiscoverySettings) -> list[str]:
    """Search by all ways at once; return URLs without repetitions."""
    dns: list[str] = []
    ssdp: list[str] = []
    zeroconf: list[str] = []
    async with anyio.create_task_group() as group:
        if settings.dns_name:
            group.start_soon(_collect, dns, _by_dns, settings)
        if settings.ssdp:
            group.start_soon(_collect, ssdp, _by_ssdp, settings)
        if settings.zeroconf:
            group.start_soon(_collect, zeroconf, _by_zeroconf, settings)
    # A name was given by somebody on purpose; what answers a call just happens to be there.
    return list(dict.fromkeys(dns + ssdp + zeroconf))


async def _collect(
    urls: list[str],
    search: Callable[[DiscoverySettings], Awaitable[list[str]]],
    settings: DiscoverySettings,
) -> None:
    try:
        urls += await search(settings)
    except OSError as error:
        log.warning("cannot search the network: %s", error)


async def _by_dns(settings: DiscoverySettings) -> list[str]:
    return await search_dns(settings.dns_name, settings.dns_port, settings.round_time)


async def _by_ssdp(settings: DiscoverySettings) -> list[str]:
    return await search_ssdp(
        settings.ssdp_address, settings.ssdp_port, settings.interface, settings.round_time
    )


async def _by_zeroconf(settings: DiscoverySettings) -> list[str]:
    from flamenco_core.builtin.zeroconf_search import search_zeroconf

    return await search_zeroconf(settings.interface, settings.round_time)


async def _name_of_manager(url: str, limit: float) -> str | None:
    """Return the name of the Manager at *url*, None if there is none."""
    try:
        async with httpx.AsyncClient(timeout=limit) as client:
            answer = await client.get(f"{url}api/v3/version")
            found = answer.json() if answer.status_code == 200 else {}
            return str(found.get("name", "")) if found.get("version") else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, AttributeError) as error:
        log.info("no Manager at %s: %s", url, error)
        return None
