"""The Worker: asks a Manager for tasks and runs them.

``create_worker(settings)`` is all that a program needs; ``Worker`` is what hooks receive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flamenco_core.worker.app import WorkerApp, create_worker
    from flamenco_core.worker.host import Worker
    from flamenco_core.worker.settings import WorkerSettings

__all__ = ["Worker", "WorkerApp", "WorkerSettings", "create_worker"]

_HOMES = {
    "WorkerApp": "app",
    "create_worker": "app",
    "Worker": "host",
    "WorkerSettings": "settings",
}


def __getattr__(name: str) -> Any:
    # Whoever reads only the settings should not load the HTTP client.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
