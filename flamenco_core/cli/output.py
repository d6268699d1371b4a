"""What is printed: tables for people, plain columns for pipes, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click

__all__ = ["local_time", "print_json", "print_table", "short", "size", "steps"]

_COLORS = {
    "active": "cyan",
    "awake": "green",
    "canceled": "yellow",
    "cancel-requested": "yellow",
    "completed": "green",
    "error": "red",
    "failed": "red",
    "off": "red",
    "on": "green",
    "paused": "yellow",
    "soft-failed": "magenta",
}


def print_json(value: Any) -> None:
    """Write a body of the wire, or plain data, as indented JSON."""
    from flamenco_core.wire.converter import unstructure

    click.echo(json.dumps(unstructure(value), indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Write *rows* under *columns*; say *empty* where there are none."""
    texts = [[_one_line(cell) for cell in row] for row in rows]
    if not texts:
        click.echo(empty, err=True)
    elif sys.stdout.isatty():
        _rich(columns, texts)
    else:
        _plain(columns, texts)


def _plain(columns: Sequence[str], rows: list[list[str]]) -> None:
    # Never cut and never colored: another program reads this.
    table = [[name.upper() for name in columns], *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(columns))]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _rich(columns: Sequence[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=_COLORS.get(cell, "")) for cell in row))
    Console().print(table)


def _one_line(cell: object) -> str:
    return " ".join(("" if cell is None else str(cell)).split())


def short(id: str) -> str:
    """Return the part of an id that is enough for people, and for this program."""
    return id[:8]


def size(count: int) -> str:
    """Write a number of bytes: ``999 B``, ``1.5 MB``."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 1000:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def steps(completed: int, total: int) -> str:
    """Write progress: ``12/24``."""
    return f"{completed}/{total}" if total else ""


def local_time(text: str | None) -> str:
    """Write a time of the wire in the machine's own time zone."""
    if not text:
        return ""
    try:
        return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return text
