"""Fixtures that start a Manager or a farm."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flamenco_core.testing.running import Farm, RunningManager

__all__ = ["StartFarm", "StartManager", "farm", "manager"]

StartManager = Callable[..., AbstractAsyncContextManager["RunningManager"]]
StartFarm = Callable[..., AbstractAsyncContextManager["Farm"]]


@pytest.fixture
def manager(tmp_path: Path) -> StartManager:
    """Give what starts a Manager.

    ``async with manager(plugins=[house_rules]) as running:``

    ``running.client`` is an httpx client for its API; ``submit``, ``job``, ``tasks`` and
    ``log`` are short for what tests need most. See `running_manager` for the arguments.
    """
    from flamenco_core.testing.running import running_manager

    def start(plugins: Iterable[object] = (), **how: Any) -> Any:
        return running_manager(tmp_path / "manager", plugins, **how)

    return start


@pytest.fixture
def farm(tmp_path: Path) -> StartFarm:
    """Give what starts a Manager and Workers.

    ``async with farm(plugins=[touch], workers=2) as running:``

    As `manager`, with ``running.run_until_done(job)``. See `running_farm`.
    """
    from flamenco_core.testing.running import running_farm

    def start(plugins: Iterable[object] = (), **how: Any) -> Any:
        return running_farm(tmp_path / "farm", plugins, **how)

    return start
