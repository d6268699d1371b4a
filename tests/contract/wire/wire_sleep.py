"""What the tests of sleep schedules share."""

from __future__ import annotations

from typing import Any

__all__ = ["shown", "url"]


def url(worker: str) -> str:
    return f"/api/v3/worker-mgt/workers/{worker}/sleep-schedule"


async def shown(api: Any, worker: Any) -> dict[str, Any]:
    return (await api.client.get(url(worker.uuid))).json()
