"""Child processes that are never left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

import attrs

from flamenco_core import platform
from flamenco_core.errors import FlamencoError

__all__ = ["Child", "Children", "clean_environment", "free_port"]

_GRACE = 20.0
"""Seconds to end when asked to; a Worker gives its program some of them."""
_TAIL = 15


@attrs.define(kw_only=True)
class Child:
    """One child process, and where its output goes; None means to the terminal."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None

    def check(self) -> None:
        """Raise `FlamencoError` if it is no longer there."""
        if (code := self.process.poll()) is not None:
            raise FlamencoError(f"the {self.name} ended with exit code {code}")

    def tail(self) -> list[str]:
        """Return the last lines of its log, for people who wonder what went wrong."""
        if self.log is None or not self.log.exists():
            return []
        lines = self.log.read_text("utf-8", errors="replace").splitlines()
        return [line for line in lines if line.strip()][-_TAIL:]


class Children:
    """A context that starts programs and ends them all, politely and then by force.

    That happens also on Ctrl+C, on SIGTERM and on errors; on Linux the children end even
    if this process is killed.
    """

    def __init__(self) -> None:
        self.all: list[Child] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Children:
        self._stack.enter_context(_terminated_like_interrupted())
        self._stack.callback(self.stop)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def flamenco(
        self, name: str, arguments: Sequence[str], *, env: Mapping[str, str], log: Path | None
    ) -> Child:
        """Start ``flamenco ARGUMENTS`` with this Python."""
        argv = [sys.executable, "-m", "flamenco_core.cli", *arguments]
        with contextlib.ExitStack() as files:
            # The child has a handle of its own; ours would only keep the file open.
            output = files.enter_context(log.open("ab")) if log else None
            process = platform.spawn(argv, env=env, output=output)
        child = Child(name=name, process=process, log=log)
        self.all.append(child)
        return child

    def check(self) -> None:
        """Raise `FlamencoError` if one of them is no longer there."""
        for child in self.all:
            child.check()

    def stop(self) -> None:
        """End all, the last that was started first."""
        try:
            for child in reversed(self.all):
                _end(child.process)
        finally:
            # Also after a second Ctrl+C: whoever is in a hurry gets force.
            for child in self.all:
                if child.process.poll() is None:
                    platform.kill_group(child.process.pid)
                child.process.wait()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        platform.end_politely(process.pid)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an exception, so that the children are ended."""

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    numbers = [getattr(signal, n) for n in ("SIGTERM", "SIGHUP") if hasattr(signal, n)]
    former = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def clean_environment(**more: str) -> dict[str, str]:
    """Return our environment without settings of other farms."""
    kept = {"FLAMENCO_BLENDER", "FLAMENCO_FFMPEG"}
    ours = {k: v for k, v in os.environ.items() if not k.startswith("FLAMENCO_") or k in kept}
    # Logs are read while they are written.
    return ours | {"PYTHONUNBUFFERED": "1"} | more


def free_port(wanted: int = 0) -> int:
    """Return *wanted* if it is free on the loopback address, else another port that is."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            if os.name == "posix":
                # A port in TIME_WAIT is free for the Manager as well.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise FlamencoError("there is no free port on 127.0.0.1")
