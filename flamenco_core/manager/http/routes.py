"""Take in the routes of plugins; two plugins that want one address are a clear error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from litestar import Litestar

from flamenco_core.errors import DuplicateName, PluginError
from flamenco_core.manager.host import Manager
from flamenco_core.manager.http.document import describe
from flamenco_core.manager.http.endpoints import endpoints_of

__all__ = ["take_routes"]

Address = tuple[str, str]
"""Method and path, with the names of path parameters left out."""


def take_routes(manager: Manager, own: Iterable[Any]) -> list[Any]:
    """Return what plugins offer through ``register_routes``.

    A plugin whose routes Litestar does not accept is turned off. Raises `DuplicateName`
    when two want one method of one path, or one wants what is Flamenco's *own*.
    """
    plugins = manager.plugins
    offers = plugins.registered("register_routes", manager=manager)
    taken: dict[Address, str] = dict.fromkeys(_own_addresses(tuple(own)), "the Manager itself")
    for name, route in list(offers.items()):
        owner = plugins.owner_of("register_routes", name)
        if owner is None:
            continue  # turned off because of another of its routes
        try:
            alone = _alone([route])
            addresses = set(_addresses(alone))
            describe(endpoints_of(alone))
        # The border to other people's code: Litestar looks into it here, annotations too, and
        # the API document at what it declares.
        except Exception as error:
            plugins.turn_off(owner, PluginError(owner, f"register_routes: {error!r}"))
            continue
        _refuse_taken(owner, addresses, taken)
        taken.update(dict.fromkeys(addresses, f"plugin {owner!r}"))
    return list(offers.values())


def _refuse_taken(owner: str, addresses: set[Address], taken: dict[Address, str]) -> None:
    for method, path in sorted(addresses & taken.keys()):
        raise DuplicateName(
            owner,
            f"{method} {path} is already served by {taken[method, path]};"
            " change the path, or add one of the two to 'blocked:' in the settings",
        )


@cache
def _own_addresses(own: tuple[Any, ...]) -> frozenset[Address]:
    # To make an application takes a tenth of a second, and ours are the same each time.
    return frozenset(_addresses(_alone(own)))


def _addresses(app: Litestar) -> Iterator[Address]:
    for route in app.routes:
        for method in getattr(route, "methods", {"ASGI"}) - {"OPTIONS"}:
            yield method, _anonymous(route.path_components)


def _alone(handlers: Iterable[Any]) -> Litestar:
    # An application of their own, which also finds what is wrong with them.
    return Litestar(list(handlers), openapi_config=None, logging_config=None)


def _anonymous(components: Iterable[Any]) -> str:
    return "/" + "/".join(part if isinstance(part, str) else "{}" for part in components)
