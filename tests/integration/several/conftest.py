"""Several Managers on one database, in one process."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

# What several test modules of this folder share has its own name: several_steps.
sys.path.append(str(Path(__file__).parent))

from several_steps import Managers


@pytest.fixture
async def managers(tmp_path: Path, postgresql_url: str) -> AsyncIterator[Managers]:
    """Managers that are stopped after the test."""
    several = Managers(tmp_path, postgresql_url)
    yield several
    await several.stop_all()
