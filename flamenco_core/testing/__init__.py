"""Fixtures, fakes and contract suites for plugin authors.

pytest loads this module by itself (entry point ``pytest11``), in every project of an
environment that has Flamenco: so nothing is imported until it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flamenco_core.testing.farm_fixtures import farm, manager
from flamenco_core.testing.fixtures import clock, run_command

if TYPE_CHECKING:
    from flamenco_core.testing.command_contract import CommandContract
    from flamenco_core.testing.compiled import CompiledJob, CompiledTask
    from flamenco_core.testing.compiling import compile_job
    from flamenco_core.testing.fake_clock import FakeClock
    from flamenco_core.testing.fake_manager import FakeManager, a_task
    from flamenco_core.testing.job_type_contract import JobTypeContract
    from flamenco_core.testing.record import Record
    from flamenco_core.testing.running import Farm, RunningManager
    from flamenco_core.testing.storage_contract import StorageContract

__all__ = [
    "CommandContract",
    "CompiledJob",
    "CompiledTask",
    "FakeClock",
    "FakeManager",
    "Farm",
    "JobTypeContract",
    "Record",
    "RunningManager",
    "StorageContract",
    "a_task",
    "clock",
    "compile_job",
    "farm",
    "manager",
    "run_command",
]

_HOMES = {
    "CommandContract": "command_contract",
    "FakeClock": "fake_clock",
    "FakeManager": "fake_manager",
    "a_task": "fake_manager",
    "CompiledJob": "compiled",
    "CompiledTask": "compiled",
    "compile_job": "compiling",
    "Farm": "running",
    "JobTypeContract": "job_type_contract",
    "Record": "record",
    "RunningManager": "running",
    "StorageContract": "storage_contract",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
