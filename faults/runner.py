"""Run rows, each in a process of its own, and say what came out.

What a row starts is in its process group, and what it mounts is below its folder: whatever
becomes of it, both are gone afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import attrs

from faults.known_red import EXPECTED_RED
from faults.load import slowness
from faults.matrix import Row
from faults.tools import missing

__all__ = ["Options", "Result", "run_rows"]

ROOT = Path(__file__).resolve().parent.parent
LANES = 2
PATIENCE = 4.0
"""So many times longer at most may a row take on a machine that is busy."""
SMALL = 20 * 2**20


@attrs.frozen(kw_only=True)
class Options:
    """How much is done, and with which chance."""

    seed: int
    points: int = 120
    scale: float = 1.0
    keep: Path = ROOT / "build" / "faults"


@attrs.frozen(kw_only=True)
class Result:
    """What came out of a row; *state* is ok, broken, red, green or skipped."""

    row: Row
    state: str
    figure: str
    seconds: float = 0.0
    seed: int = 0

    @property
    def is_good(self) -> bool:
        return self.state in {"ok", "red", "skipped"}


async def run_rows(
    rows: Iterable[Row], options: Options, tell: Callable[[Result], None]
) -> list[Result]:
    """Run all; those whose figure is a time first, with nothing beside them."""
    results: list[Result] = []
    lanes = asyncio.Semaphore(LANES)

    async def one(row: Row) -> None:
        async with lanes:
            results.append(await _run(row, options))
            tell(results[-1])

    rows = [*rows]
    for row in (row for row in rows if row.alone):
        await one(row)
    # The long ones first: none is left over for the end.
    others = sorted((row for row in rows if not row.alone), key=lambda row: -row.limit)
    async with asyncio.TaskGroup() as group:
        for row in others:
            group.create_task(one(row))
    order = {row.name: place for place, row in enumerate(rows)}
    return sorted(results, key=lambda result: order[result.row.name])


async def _run(row: Row, options: Options) -> Result:
    if lacking := missing(row.needs):
        return Result(row=row, state="skipped", figure=f"skipped: needs {', '.join(lacking)}")
    # Each row has a chance of its own, whatever runs before it.
    seed = options.seed + sum(map(ord, row.name))
    folder = Path(tempfile.mkdtemp(prefix=f"flamenco-faults-{row.name}-"))
    began = time.monotonic()
    try:
        good, figure = await _in_process(row, options, seed, folder)
    finally:
        _unmount(folder)
    state = _state(row, good=good)
    if not good:
        kept = _keep(folder, options.keep / f"{row.name}-{seed}")
        figure += "" if state == "red" else f" (kept: {kept.relative_to(ROOT)})"
    shutil.rmtree(folder, ignore_errors=True)
    seconds = time.monotonic() - began
    return Result(row=row, state=state, figure=figure, seconds=seconds, seed=seed)


def _state(row: Row, *, good: bool) -> str:
    if row.name in EXPECTED_RED:
        return "green" if good else "red"
    return "ok" if good else "broken"


async def _in_process(row: Row, options: Options, seed: int, folder: Path) -> tuple[bool, str]:
    command = [sys.executable, "-m", "faults", "--inside", row.name, "--folder", str(folder)]
    command += ["--seed", str(seed), "--points", str(options.points)]
    command += ["--scale", str(options.scale)]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    limit = row.limit * max(1.0, options.scale) * min(slowness(), PATIENCE)
    try:
        async with asyncio.timeout(limit):
            output, errors = await process.communicate()
    except TimeoutError:
        return False, f"it did not end within {limit:g} s"
    finally:
        # All that it has started and forgotten, Managers and tracers.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    (folder / "errors.txt").write_bytes(errors)
    try:
        said = json.loads(output.splitlines()[-1])
    except (IndexError, ValueError):
        return False, f"it fell over: {errors.decode(errors='replace').strip()[-300:]}"
    return said["good"], said["figure"]


def _unmount(folder: Path) -> None:
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return
    places = [line.split(" ")[1] for line in mounts.read_text().splitlines()]
    for place in sorted((p for p in places if p.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)


def _keep(folder: Path, target: Path) -> Path:
    """Keep what tells how it came: histories, logs, settings; no big files."""
    shutil.rmtree(target, ignore_errors=True)
    for path in folder.rglob("*"):
        wanted = path.suffix in {".jsonl", ".log", ".txt", ".yaml", ".sqlite"}
        if wanted and path.is_file() and path.stat().st_size < SMALL:
            copy = target / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    return target
