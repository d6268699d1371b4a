"""The fault matrix: `python -m faults`, or `make faults`.

python -m faults [ROW ...] [--seed N] [--points 600] [--scale 4] [--list]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from faults.known_red import EXPECTED_RED
from faults.matrix import Broken, Row, Stage, load_rows
from faults.runner import Options, Result, run_rows
from faults.tools import install_missing


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m faults", description="Break a farm.")
    parser.add_argument("rows", nargs="*", help="only these rows")
    parser.add_argument("--seed", type=int, help="the chance of an earlier run")
    parser.add_argument("--points", type=int, default=120, help="crash points of F1")
    parser.add_argument("--scale", type=float, default=1.0, help="how much more, for a night")
    parser.add_argument("--list", action="store_true", help="say what there is")
    for inner in ("--inside", "--folder"):
        parser.add_argument(inner, default="", help=argparse.SUPPRESS)
    told = parser.parse_args()
    rows = load_rows()
    if told.inside:
        return inside(rows[told.inside], told)
    if unknown := set(told.rows) - set(rows):
        parser.error(f"no rows {sorted(unknown)}; there are {', '.join(rows)}")
    chosen = [row for row in rows.values() if not told.rows or row.name in told.rows]
    if told.list:
        print(*(f"{row.name:6} {row.fault}" for row in chosen), sep="\n")
        return 0
    return outside(chosen, told)


def outside(rows: list[Row], told: argparse.Namespace) -> int:
    """Run rows and print the table; 0 if all is as it should be."""
    if done := install_missing():
        print(done)
    seed = random.SystemRandom().randrange(10**6) if told.seed is None else told.seed
    print(f"seed {seed}: run it again with `python -m faults --seed {seed}`", flush=True)
    began = time.monotonic()
    options = Options(seed=seed, points=told.points, scale=told.scale)
    results = asyncio.run(run_rows(rows, options, lambda result: print(line(result), flush=True)))
    print()
    show(results)
    bad = [result for result in results if not result.is_good]
    took = time.monotonic() - began
    print(f"{len(results)} rows in {took:.0f} s, {len(bad)} not as they should be; seed {seed}")
    return 1 if bad else 0


def line(result: Result) -> str:
    return (
        f"{result.row.name:5} {result.state:8} {result.seconds:5.1f} s  "
        f"{result.row.fault}: {result.figure}"
    )


def show(results: Sequence[Result]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("row", "fault", "result", "figure", "s", "seed", title="fault matrix")
    for r in results:
        figure = r.figure.replace("[", "\\[")
        if r.state in {"red", "green"}:
            figure += f" -- known: {EXPECTED_RED[r.row.name]}"
        state = {"broken": "BROKEN", "green": "GREEN: take it out of known_red"}
        table.add_row(
            r.row.name,
            r.row.fault,
            state.get(r.state, r.state),
            figure,
            f"{r.seconds:.0f}",
            str(r.seed),
        )
    Console(width=160).print(table)


def inside(row: Row, told: argparse.Namespace) -> int:
    """Run one row here; the last line printed is what came out."""
    good, figure = asyncio.run(played(row, told))
    print(json.dumps({"good": good, "figure": figure}), flush=True)
    return 0


async def played(row: Row, told: argparse.Namespace) -> tuple[bool, str]:
    stage = Stage(folder=Path(told.folder), seed=told.seed, points=told.points, scale=told.scale)
    async with stage.leaving:
        try:
            return True, await row.run(stage)
        # The border to whatever a broken Manager makes of a client.
        except Exception as error:
            cause = first(error)
            if isinstance(cause, Broken):
                return False, str(cause)
            traceback.print_exc()
            return False, f"{type(cause).__name__}: {cause}"
    return False, "nothing came out"


def first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    sys.exit(main())
