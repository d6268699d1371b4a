"""Plugins that ship inside; loaded like everybody else's, and first.

They import only what a stranger may import.
"""

from __future__ import annotations

__all__ = ["MANAGER", "WORKER", "plugin_name"]

WORKER = [
    "flamenco_core.builtin.misc",
    "flamenco_core.builtin.files",
    "flamenco_core.builtin.scratch",
    "flamenco_core.builtin.readiness",
    "flamenco_core.builtin.trials",
    "flamenco_core.builtin.discovery_worker",
]
"""Modules that a Worker loads, in this order."""

MANAGER = [
    "flamenco_core.builtin.storage",
    "flamenco_core.builtin.variables",
    "flamenco_core.builtin.worker_identity",
    "flamenco_core.builtin.housekeeping",
    "flamenco_core.builtin.trials",
    "flamenco_core.builtin.discovery_manager",
    "flamenco_core.builtin.metrics",
    "flamenco_core.builtin.echo_sleep_test",
]
"""Modules that a Manager loads, in this order."""


def plugin_name(module: str) -> str:
    """Return the plugin's name: that of the module, without the side it is for."""
    name = module.rpartition(".")[2]
    return name.removesuffix("_worker").removesuffix("_manager")
