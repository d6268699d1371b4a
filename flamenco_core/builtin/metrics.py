"""Built-in: ``/metrics`` for Prometheus.

What happens with every request is counted by the Manager in plain numbers. They become
Prometheus' own only when it asks for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from litestar import Response, get

from flamenco_core.hookspecs import hookimpl
from flamenco_core.offers.operations import Raw, operation

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["register_routes"]


@hookimpl
def register_routes(manager: Manager) -> Iterable[Any]:
    """Offer ``GET /metrics``."""

    @get("/metrics", opt=operation("getMetrics", Raw("text/plain")), tags=["system"])
    async def metrics() -> Response[bytes]:
        """Return figures of the farm and of this process, for Prometheus."""
        counts = await manager.census.take()
        # Beside the event loop: to load the library takes its time, once.
        return await asyncio.to_thread(_answer, manager, counts)

    return [metrics]


def _answer(manager: Manager, counts: Any) -> Response[bytes]:
    from flamenco_core.builtin.prometheus_text import MEDIA_TYPE, write_figures

    return Response(write_figures(manager, counts), media_type=MEDIA_TYPE)
