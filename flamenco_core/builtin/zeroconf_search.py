"""Asks the network for Managers by zeroconf (mDNS), which other systems call Bonjour."""

from __future__ import annotations

import ipaddress
from typing import Any

import anyio

__all__ = ["TYPE", "search_zeroconf", "urls_of"]

TYPE = "_flamenco._tcp.local."
HEARD_OUT = 0.3


async def search_zeroconf(interface: str, limit: float) -> list[str]:
    """Listen for *limit* seconds at most; return the URLs of the Managers found.

    Raises `OSError` when there is no network.
    """
    # Here and not at the top: most Workers are told their Manager and never load it.
    from zeroconf import InterfaceChoice, ServiceStateChange
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

    names: list[str] = []
    found = anyio.Event()

    def changed(*, name: str, state_change: ServiceStateChange, **_: Any) -> None:
        if state_change is ServiceStateChange.Added:
            names.append(name)
            found.set()

    urls: list[str] = []
    zeroconf = AsyncZeroconf(interfaces=[interface] if interface else InterfaceChoice.Default)
    try:
        browser = AsyncServiceBrowser(zeroconf.zeroconf, TYPE, handlers=[changed])
        with anyio.move_on_after(limit):
            await found.wait()
            await anyio.sleep(HEARD_OUT)
        await browser.async_cancel()
        for name in names:
            info = AsyncServiceInfo(TYPE, name)
            if await info.async_request(zeroconf.zeroconf, 1000):
                urls += urls_of(info)
    finally:
        with anyio.CancelScope(shield=True):
            await zeroconf.async_close()
    return urls


def urls_of(info: Any) -> list[str]:
    """Return the URLs that an announcement stands for, IPv4 first.

    Its properties ``scheme`` and ``path`` may say where behind a proxy the Manager is.
    """
    properties = info.decoded_properties
    scheme = properties.get("scheme") or "http"
    path = (properties.get("path") or "/").strip("/")
    addresses = [ipaddress.ip_address(a.partition("%")[0]) for a in info.parsed_addresses()]
    addresses.sort(key=lambda address: address.version)
    hosts = [str(a) if a.version == 4 else f"[{a}]" for a in addresses]
    return [f"{scheme}://{host}:{info.port}/{path + '/' if path else ''}" for host in hosts]
