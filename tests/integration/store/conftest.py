"""One contract, two databases."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from flamenco_core.clock import SystemClock
from flamenco_core.domain.events import JobDeleted
from flamenco_core.manager.store.database import Database, open_database
from flamenco_core.manager.store.transaction import Tx

# What several test modules of this folder share: store_steps.
sys.path.append(str(Path(__file__).parent))

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@attrs.define
class Told:
    """What was told, in order."""

    names: list[str] = attrs.field(factory=list)
    then: Callable[[], Any] = lambda: None

    def deliver(self, tx: Tx) -> None:
        self.names += [event.job_id for event in tx.events if isinstance(event, JobDeleted)]
        self.then()


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "farm.sqlite")
    found: str = request.getfixturevalue("postgresql_url")
    return found


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def database(url: str, told: Told) -> AsyncIterator[Database]:
    opened = open_database(url, SystemClock())
    await opened.start(told.deliver)
    yield opened
    await opened.close()


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    return tmp_path / "farm.sqlite"
