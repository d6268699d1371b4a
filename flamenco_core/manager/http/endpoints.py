"""The routes of an application, as far as the API document is concerned with them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import attrs
from litestar import Litestar
from litestar.routes import HTTPRoute

from flamenco_core.offers.operations import Operation

__all__ = ["Endpoint", "endpoints_of"]


@attrs.frozen(kw_only=True)
class Endpoint:
    """One method of one path; without *declared* no more is known of it."""

    method: str
    path: str
    name: str
    words: str
    tags: tuple[str, ...]
    declared: Operation | None


def endpoints_of(app: Litestar) -> tuple[Endpoint, ...]:
    """Return all endpoints, by path and method."""
    found = (
        endpoint for route in app.routes if isinstance(route, HTTPRoute) for endpoint in _of(route)
    )
    return tuple(sorted(found, key=lambda endpoint: (endpoint.path, endpoint.method)))


def _of(route: HTTPRoute) -> Iterator[Endpoint]:
    for method, (handler, _) in route.route_handler_map.items():
        if method == "OPTIONS":
            continue  # Litestar's own, at every path
        opt: dict[str, Any] = handler.opt
        yield Endpoint(
            method=str(method),
            path=route.path_format,
            name=opt.get("operation", ""),
            words=inspect.getdoc(handler.fn) or "",
            tags=tuple(handler.resolve_tags()),
            declared=opt.get("declared"),
        )
