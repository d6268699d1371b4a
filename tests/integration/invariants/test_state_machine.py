"""Any order of what workers and people do leaves the farm's data right: I1-I6, I9-I12, I14, I15."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from invariant_machine import FarmMachine
from invariant_store import MemoryStore, OpenedStore, Store

from flamenco_core.errors import Conflict, NotAllowed, Refused, StaleMessage

LONG = int(os.environ.get("FLAMENCO_LONG_TESTS", "1"))


def check_any_order(store: Store, *, farms: int) -> None:
    profile = settings(
        max_examples=farms * LONG,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        # Any callable will do; its type hint knows classes only.
        machine: Any = partial(FarmMachine, store)
        run_state_machine_as_test(machine, settings=profile)
    finally:
        store.close()


def test_any_order_of_steps_leaves_the_farm_right() -> None:
    check_any_order(MemoryStore(), farms=120)


def test_any_order_of_steps_leaves_a_sqlite_file_right(tmp_path: Path) -> None:
    check_any_order(OpenedStore(str(tmp_path / "farm.sqlite")), farms=12)


@pytest.mark.postgresql
def test_any_order_of_steps_leaves_a_postgresql_database_right(postgresql_url: str) -> None:
    check_any_order(OpenedStore(postgresql_url), farms=6)


def test_refusals_are_of_one_family() -> None:
    assert issubclass(StaleMessage, Conflict)
    assert issubclass(NotAllowed, Refused)
