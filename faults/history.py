"""What clients and workers have seen, as lines of JSON.

A line is ``{"t": seconds, "n": number, "op": what, "key": of what, "type": ...}``, where
the type is ``invoke`` when a request goes out, and ``ok`` (it was done), ``fail`` (it was
not done, and never will be) or ``info`` (nobody knows) when that is settled. A line with
the same ``n`` ends what another began. A fake render writes ``op: render``; its ``ok`` is
its end. Whatever else is known stands beside: task, epoch, worker, status.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import attrs

__all__ = ["End", "History", "Op", "read_history"]

End = Literal["ok", "fail", "info"]


@attrs.frozen(kw_only=True)
class Op:
    """One thing that somebody did, from *start* to *end*; *end* is infinite if unknown."""

    op: str
    key: str
    start: float
    end: float = math.inf
    type: End = "info"
    facts: dict[str, Any] = attrs.field(factory=dict)

    @property
    def is_ok(self) -> bool:
        return self.type == "ok"

    @property
    def may_have_happened(self) -> bool:
        return self.type != "fail"

    def __getitem__(self, name: str) -> Any:
        return self.facts.get(name)


class History:
    """Writes what happens to a file; a line is written at once, for the crash that comes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", buffering=1, encoding="utf-8")
        self._number = 0

    def invoke(self, op: str, key: str, **facts: Any) -> int:
        """Write that something begins; return its number."""
        self._number += 1
        self._write(n=self._number, op=op, key=key, type="invoke", **facts)
        return self._number

    def settle(self, number: int, type: End, **facts: Any) -> None:
        """Write how it ended, with what is known since."""
        self._write(n=number, type=type, **facts)

    def note(self, op: str, key: str, **facts: Any) -> None:
        """Write something that takes no time."""
        self.settle(self.invoke(op, key, **facts), "ok")

    def ops(self) -> list[Op]:
        """Return what was written so far."""
        return read_history(self.path)

    def close(self) -> None:
        self._file.close()

    def _write(self, **line: Any) -> None:
        # One clock for all of a machine's processes: no wall clock, that may be faked.
        self._file.write(json.dumps({"t": round(time.monotonic(), 6), **line}) + "\n")


def read_history(path: Path) -> list[Op]:
    """Read a file of a `History`; what has no end has an unknown one."""
    with path.open(encoding="utf-8") as lines:
        return ops_of(json.loads(line) for line in lines)


def ops_of(lines: Iterable[dict[str, Any]]) -> list[Op]:
    """Put beginnings and ends together, in the order of the beginnings."""
    found: dict[int, Op] = {}
    for line in lines:
        known = {k: v for k, v in line.items() if k not in ("t", "n", "op", "key", "type")}
        if line["type"] == "invoke":
            op = Op(op=line["op"], key=line["key"], start=line["t"], facts=known)
        else:
            began = found[line["n"]]
            op = attrs.evolve(
                began, end=line["t"], type=line["type"], facts={**began.facts, **known}
            )
        found[line["n"]] = op
    return [*found.values()]
