from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# What several test modules of this folder share has its own names: invariant_*.
sys.path.append(str(Path(__file__).parent))

from invariant_store import MemoryStore

LONG = int(os.environ.get("FLAMENCO_LONG_TESTS", "1"))
settings.register_profile(
    "invariants",
    max_examples=120 * LONG,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    opened = MemoryStore()
    yield opened
    opened.close()
