"""One child process for one run of one script: started, asked, ended."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import attrs

__all__ = ["Child", "Output"]

_CHILD = Path(__file__).with_name("child.py")


@attrs.frozen
class Output:
    """What a child printed, V8's own words included, and how it ended.

    A negative ``code`` is the signal that ended it, as in `subprocess`. ``late`` says
    that we killed it because its time was up, ``overflow`` that it printed too much.
    """

    data: bytes
    code: int
    late: bool
    overflow: bool


class Child:
    """A process that waits for a request; every method blocks, so call them in a thread."""

    def __init__(self, program: Path = _CHILD) -> None:
        self._process: subprocess.Popen[bytes] = subprocess.Popen(
            # Without `site`: faster, and no start-up code of other packages.
            [sys.executable, "-I", "-S", str(program), _site_folder()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # V8 prints there why it dies. One pipe for both needs no second reader.
            stderr=subprocess.STDOUT,
            cwd=_root(),
            env=_environment(),
            bufsize=0,
            **_own_group(),
        )
        self._late = False

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def ask(self, request: bytes, *, seconds: float, most: int) -> Output:
        """Send the request, wait for the answer; kill the child after *seconds*.

        Of what it prints, no more than *most* bytes are read.
        """
        timer = threading.Timer(seconds, self._too_late)
        timer.daemon = True
        timer.start()
        try:
            data = self._talk(request, most)
            overflow = len(data) > most
        finally:
            timer.cancel()
            self.end()
        return Output(data, self._process.returncode, self._late, overflow)

    def end(self) -> None:
        """Kill the child with all it may have started, and wait until it is gone."""
        # Not once it is waited for: by then its id may belong to somebody else.
        if self._process.returncode is None:
            self._kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                # An unsent rest cannot be flushed any more.
                with contextlib.suppress(OSError):
                    pipe.close()

    def _talk(self, request: bytes, most: int) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # A child that is dead already says why on its way out.
        with contextlib.suppress(OSError):
            remaining = memoryview(request)
            while remaining:
                remaining = remaining[self._process.stdin.write(remaining) or 0 :]
            self._process.stdin.close()
        parts, size = [], 0
        while size <= most and (part := self._process.stdout.read(1 << 16)):
            parts.append(part)
            size += len(part)
        if size <= most:
            self._process.wait()
        return b"".join(parts)

    def _too_late(self) -> None:
        self._late = True
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)


@functools.cache
def _site_folder() -> str:
    """Return the folder that mini-racer is in."""
    found = importlib.util.find_spec("py_mini_racer")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("py_mini_racer is missing; pip install mini-racer")
    return str(Path(found.origin).parent.parent)


def _environment() -> dict[str, str]:
    """Return nothing but what Python and local time need."""
    # Windows cannot open a socket, which asyncio needs, without SYSTEMROOT.
    return {name: os.environ[name] for name in ("TZ", "SYSTEMROOT") if name in os.environ}


def _root() -> str:
    return Path(sys.executable).anchor or "/"


def _own_group() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}
