"""Invariants I1-I6, I9-I12, I14: random clients against the real store."""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from flamenco_core.clock import SystemClock
from flamenco_core.manager.store.database import open_database

spec = importlib.util.spec_from_file_location("farm_model", Path(__file__).parent / "farm_model.py")
model: Any = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
spec.loader.exec_module(model)  # type: ignore[union-attr]

LONG = int(os.environ.get("FLAMENCO_LONG_TESTS", "1"))


def profile(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples * LONG,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture
def empty_file(tmp_path: Path) -> Path:
    """A database that was migrated once, to be copied."""
    import asyncio

    path = tmp_path / "empty.sqlite"

    async def migrate() -> None:
        database = open_database(str(path), SystemClock())
        await database.start(lambda tx: None)
        await database.close()

    asyncio.run(migrate())
    return path


def test_no_chain_of_events_breaks_a_farm_on_sqlite(empty_file: Path) -> None:
    numbers = itertools.count()

    class OnSqlite(model.FarmMachine):  # type: ignore[misc]
        def open_database(self) -> Any:
            path = empty_file.with_name(f"farm{next(numbers)}.sqlite")
            shutil.copyfile(empty_file, path)
            return open_database(str(path), SystemClock())

    run_state_machine_as_test(OnSqlite, settings=profile(40, 40))


@pytest.mark.postgresql
def test_no_chain_of_events_breaks_a_farm_on_postgresql(postgresql_url: str) -> None:
    from sqlalchemy import create_engine, text

    engine = create_engine(postgresql_url)
    names = ", ".join(table.name for table in model.t.metadata.sorted_tables)

    class OnPostgresql(model.FarmMachine):  # type: ignore[misc]
        def open_database(self) -> Any:
            return open_database(postgresql_url, SystemClock())

        def teardown(self) -> None:
            super().teardown()
            with engine.begin() as connection:
                kept = names.replace("counters, ", "").replace(", counters", "")
                connection.execute(text(f"TRUNCATE {kept} CASCADE"))

    run_state_machine_as_test(OnPostgresql, settings=profile(6, 30))
    engine.dispose()
