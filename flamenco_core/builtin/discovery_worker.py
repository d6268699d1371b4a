"""Finds the Manager: the settings, the environment, then the network (SSDP, zeroconf)."""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
import attrs
import httpx

from flamenco_core import hookimpl
from flamenco_core.builtin.ssdp_search import search_ssdp

if TYPE_CHECKING:
    from flamenco_core.worker.host import Worker

__all__ = ["DiscoverySettings"]

log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class DiscoverySettings:
    """Section ``discovery``: how to search; times in seconds.

    ``interface`` is the IPv4 address of the network card to search on; empty leaves the
    choice to the system.
    """

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
            if await _is_manager(url, settings.answer_time):
                log.info("found a Manager at %s", url)
                return url
    return None


async def _search(settings: DiscoverySettings) -> list[str]:
    """Search by all ways at once; return URLs without repetitions."""
    ssdp: list[str] = []
    zeroconf: list[str] = []
    async with anyio.create_task_group() as group:
        if settings.ssdp:
            group.start_soon(_collect, ssdp, _by_ssdp, settings)
        if settings.zeroconf:
            group.start_soon(_collect, zeroconf, _by_zeroconf, settings)
    return list(dict.fromkeys(ssdp + zeroconf))


async def _collect(
    urls: list[str],
    search: Callable[[DiscoverySettings], Awaitable[list[str]]],
    settings: DiscoverySettings,
) -> None:
    try:
        urls += await search(settings)
    except OSError as error:
        log.warning("cannot search the network: %s", error)


async def _by_ssdp(settings: DiscoverySettings) -> list[str]:
    return await search_ssdp(
        settings.ssdp_address, settings.ssdp_port, settings.interface, settings.round_time
    )


async def _by_zeroconf(settings: DiscoverySettings) -> list[str]:
    from flamenco_core.builtin.zeroconf_search import search_zeroconf

    return await search_zeroconf(settings.interface, settings.round_time)


async def _is_manager(url: str, limit: float) -> bool:
    try:
        async with httpx.AsyncClient(timeout=limit) as client:
            answer = await client.get(f"{url}api/v3/version")
            return answer.status_code == 200 and bool(answer.json().get("version"))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, AttributeError) as error:
        log.info("no Manager at %s: %s", url, error)
        return False
