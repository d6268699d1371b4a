"""The fixtures that every project with Flamenco has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flamenco_core.testing.fake_clock import FakeClock
    from flamenco_core.testing.record import Record

__all__ = ["RunCommand", "clock", "run_command"]

RunCommand = Callable[..., Awaitable["Record"]]


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that stands still until ``await clock.advance(seconds)``."""
    from flamenco_core.testing.fake_clock import FakeClock

    return FakeClock()


@pytest.fixture
def run_command(tmp_path: Path) -> RunCommand:
    """Run a command as a Worker would; return what it did.

    ``await run_command("touch", {"path": "x"}, plugins=[flamenco_touch])``

    Programs that it runs are real. Settings of the Worker go in *settings*, a mapping;
    *task_type* and *job_type* are what ``wrap_task`` sees. Raises what the command raises.
    """
    from flamenco_core.testing.run_command import run_as_worker

    async def run(
        name: str,
        parameters: Mapping[str, Any],
        plugins: Iterable[object] = (),
        *,
        settings: Mapping[str, Any] | None = None,
        task_type: str = "misc",
        job_type: str = "test",
    ) -> Record:
        given = {"home": str(tmp_path / "worker-home"), **(settings or {})}
        return await run_as_worker(
            name,
            parameters,
            plugins,
            settings=given,
            task_type=task_type,
            job_type=job_type,
        )

    return run
