"""Faults at system calls, by strace: a kill or an error at the n-th call of a process."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import subprocess
from collections import Counter
from pathlib import Path

import attrs

from faults.matrix import Broken

__all__ = ["CALLS", "Point", "Tracer", "count_calls"]

CALLS = ("pwrite64", "fdatasync", "fsync", "rename", "unlink", "unlinkat", "ftruncate", "write")
_CALL = re.compile(r"^(\d+) +(\w+)\(")


@attrs.frozen
class Point:
    """The *number*-th *call* of a thread, from the moment on at which the tracer comes."""

    call: str
    number: int


class Tracer:
    """Watches a running process, from `start` until `stop` or its end."""

    def __init__(self, pid: int, *options: str, output: Path | None = None) -> None:
        self._argv = ["strace", "-f", "-o", str(output or "/dev/null"), *options, "-p", str(pid)]
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def killing(cls, pid: int, point: Point) -> Tracer:
        """Return one that kills the process at a point."""
        inject = f"inject={point.call}:signal=KILL:when={point.number}"
        return cls(pid, "-e", f"trace={point.call}", "-e", inject)

    @classmethod
    def failing(cls, pid: int, call: str, error: str, when: str = "1+") -> Tracer:
        """Return one that lets calls fail."""
        return cls(pid, "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={when}")

    async def start(self) -> Tracer:
        """Start it; it has hold of the process when this returns."""
        self._process = subprocess.Popen(
            self._argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert self._process.stderr is not None
        try:
            async with asyncio.timeout(10):
                said = await asyncio.to_thread(self._process.stderr.readline)
        except TimeoutError:
            raise Broken("strace does not get hold of the Manager") from None
        if b"attached" not in said:
            raise Broken(f"strace: {said.decode(errors='replace').strip()}")
        return self

    async def stop(self) -> None:
        """Let go of the process."""
        assert self._process is not None
        for number in (signal.SIGINT, signal.SIGKILL):
            if self._process.poll() is None:
                self._process.send_signal(number)
            # A tracer that is told to go while its process dies may stay with it for ever.
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, 2)
                break
        assert self._process.stderr is not None
        self._process.stderr.close()


def count_calls(output: Path) -> list[Point]:
    """Return all points of a run that was only watched."""
    counts: Counter[tuple[str, str]] = Counter()
    for line in output.read_text(errors="replace").splitlines():
        if (match := _CALL.match(line)) and "write(" not in line.replace(match[2], "", 1):
            counts[match[1], match[2]] += 1
    most: dict[str, int] = {}
    for (_, call), count in counts.items():
        most[call] = max(most.get(call, 0), count)
    return [Point(call, n) for call, count in sorted(most.items()) for n in range(1, count + 1)]
