from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# What several test modules of this folder share has its own names: invariant_*.
sys.path.append(str(Path(__file__).parent))

from invariant_store import MemoryStore


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    opened = MemoryStore()
    yield opened
    opened.close()
