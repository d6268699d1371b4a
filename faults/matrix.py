"""The rows of the matrix: what is broken, how it is run, and what it needs."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs

from faults.history import History

__all__ = ["ROWS", "Broken", "Row", "Skipped", "Stage", "load_rows", "row"]


class Broken(AssertionError):
    """Something that was promised did not hold."""


class Skipped(Exception):
    """A row cannot run here; the message says what is missing."""


@attrs.define(kw_only=True)
class Stage:
    """Where one row plays: a folder, a history, and chance that can be had again."""

    folder: Path
    seed: int
    scale: float = 1.0
    """How much more is done than in the fast lane: nights are long."""
    points: int = 120
    chance: random.Random = attrs.field(init=False)
    history: History = attrs.field(init=False)
    leaving: contextlib.AsyncExitStack = attrs.field(factory=contextlib.AsyncExitStack)

    def __attrs_post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.history = History(self.folder / "history.jsonl")

    def place(self, name: str) -> Path:
        """Return a new folder of this row."""
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path


Run = Callable[[Stage], Awaitable[str]]


@attrs.frozen(kw_only=True)
class Row:
    """One row: *run* returns its figure, and raises `Broken` when a promise did not hold."""

    name: str
    fault: str
    run: Run
    needs: tuple[str, ...] = ()
    alone: bool = False
    """Its figure is a time: nothing else may run beside it."""
    limit: float = 60.0
    """Seconds after which it is ended."""


ROWS: dict[str, Row] = {}


def row(
    name: str, fault: str, *, needs: str = "", alone: bool = False, limit: float = 60.0
) -> Callable[[Run], Run]:
    """Make a function a row; *needs* are words that `tools` knows."""

    def add(run: Run) -> Run:
        if name in ROWS:
            raise ValueError(f"there are two rows {name!r}")
        words = tuple(needs.split())
        ROWS[name] = Row(name=name, fault=fault, run=run, needs=words, alone=alone, limit=limit)
        return run

    return add


def load_rows() -> dict[str, Row]:
    """Import all modules of `faults.rows`; return the rows in the order of their names."""
    import faults.rows

    for module in pkgutil.iter_modules(faults.rows.__path__):
        importlib.import_module(f"faults.rows.{module.name}")
    return dict(sorted(ROWS.items(), key=lambda item: _place(item[0])))


def _place(name: str) -> tuple[int, str]:
    digits = "".join(c for c in name if c.isdigit())
    return (1000 if name.startswith("F") else 0) + int(digits or 0), name
