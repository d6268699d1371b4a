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

LONG = bool(os.environ.get("FLAMENCO_LONG_TESTS"))
settings.register_profile(
    "invariants",
    max_examples=3000 if LONG else 120,
    stateful_step_count=50 if LONG else 25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    opened = MemoryStore()
    yield opened
    opened.close()
