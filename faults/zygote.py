"""Start Managers quickly: from a process that has imported all that they import.

Half of a crash point's time would go into imports. What is started this way is the same
program with the same arguments in a process of its own; only the imports are done before.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["Zygote"]

IMPORTS = (
    "flamenco_core.cli.commands.manager",
    "flamenco_core.manager.server",
    "flamenco_core.manager",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.lifespan.on",
    "alembic.command",
    "uvloop",
)


class Zygote:
    """A child process that makes Managers out of itself, and hears of their ends."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )
        self._codes: dict[int, int] = {}

    def start(
        self, arguments: list[str], env: dict[str, str], log: Path, stopped: bool = False
    ) -> int:
        """Start a program; return its process id. *Stopped*, it waits for SIGCONT."""
        told = {"arguments": arguments, "env": env, "log": str(log), "stopped": stopped}
        return int(self._ask(do="start", **told))

    def is_alive(self, pid: int) -> bool:
        return self._poll(pid, 0.0) is None

    def wait(self, pid: int, seconds: float) -> int:
        """Wait for a program's end; return its exit code, negative for a signal."""
        code = self._poll(pid, seconds)
        if code is None:
            raise TimeoutError(f"process {pid} does not end")
        return code

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _poll(self, pid: int, seconds: float) -> int | None:
        if pid not in self._codes:
            code = self._ask(do="wait", pid=pid, seconds=seconds)
            if code is None:
                return None
            self._codes[pid] = code
        return self._codes[pid]

    def _ask(self, **question: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _prepare() -> None:
    for name in IMPORTS:
        importlib.import_module(name)


def _become(question: dict[str, Any]) -> None:
    """Be the program: in the child, and never back."""
    output = os.open(question["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, output), (2, output)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(question["env"])
    if question["stopped"]:
        os.kill(os.getpid(), signal.SIGSTOP)
    code = 1
    try:
        from flamenco_core.cli import main as program

        code = program(question["arguments"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(pid: int, seconds: float) -> int | None:
    end = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= end:
            return None
        time.sleep(0.005)


def main() -> None:
    """Answer questions, a line of JSON each, until there are no more."""
    _prepare()
    for line in sys.stdin:
        question = json.loads(line)
        if question["do"] == "start":
            answer: int | None = os.fork()
            if answer == 0:
                _become(question)
        else:
            answer = _wait(question["pid"], question["seconds"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
