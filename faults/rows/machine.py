"""F8: the farm in the hands of chance, for a minute, as often as it can."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread

from faults.load import busy_words
from faults.matrix import Broken, Stage, row

sys.path.append(str(Path(__file__).parents[2] / "tests" / "integration" / "invariants"))

SECONDS = 60.0
FARMS = 40
APART = 1_000_000
"""Between the seeds of two processes: more than one of them uses up."""


@row("F8", "random steps of workers and people, the data checked after each", limit=120)
async def random_steps(stage: Stage) -> str:
    return await anyio.to_thread.run_sync(_play_together, stage.seed, SECONDS * stage.scale)


def _play_together(seed: int, seconds: float) -> str:
    """Play in one process for each core, as the tests run."""
    cores = os.cpu_count() or 1
    seeds = [seed + APART * number for number in range(cores)]
    with ProcessPoolExecutor(cores, multiprocessing.get_context("spawn")) as pool:
        played = list(pool.map(_play, seeds, [seconds] * cores))
    steps, farms, took, cpu = (sum(column) for column in zip(*played, strict=True))
    rate = steps / (took / cores) * 60
    own = steps / max(cpu, 0.1) * 60
    busy = busy_words(took / max(cpu, 0.1))
    return (
        f"{steps} steps on {farms} farms, 0 failures; {rate:,.0f}/min on {cores} cores,"
        f" {own:,.0f}/min of CPU{busy}"
    )


def _play(seed: int, seconds: float) -> tuple[int, int, float, float]:
    """Play for a while; return steps, farms, and seconds by the clock and of CPU."""
    from hypothesis import HealthCheck, settings
    from hypothesis import seed as with_seed
    from hypothesis.stateful import run_state_machine_as_test
    from invariant_machine import FarmMachine
    from invariant_store import MemoryStore

    steps = farms = 0

    class Counting(FarmMachine):  # type: ignore[misc]  # it comes from a folder of tests
        def do(self, *args: Any, **kwargs: Any) -> Any:
            nonlocal steps
            steps += 1
            return super().do(*args, **kwargs)

    store = MemoryStore()
    profile = settings(
        max_examples=FARMS,
        stateful_step_count=25,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    began, used = time.monotonic(), time.process_time()
    while time.monotonic() - began < seconds:
        machine: Any = with_seed(seed + farms)(partial(Counting, store))
        try:
            run_state_machine_as_test(machine, settings=profile)
        except AssertionError as error:
            raise Broken(f"after {steps} steps, seed {seed + farms}: {error}") from error
        farms += FARMS
    store.close()
    return steps, farms, time.monotonic() - began, time.process_time() - used
