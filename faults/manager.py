"""A Manager that is a process of its own, as people start it, and can be broken."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from faults.http import Http
from faults.matrix import Broken, Stage
from faults.zygote import Zygote

__all__ = ["JOB_TYPE", "Manager", "until"]

ARGV = (sys.executable, "-m", "flamenco_core.cli")
READY = "the Manager is ready at"
JOB_TYPE = "fault-test"
PLUGIN = '''
"""Jobs for the fault tests: so many tasks, and one that waits for some of them."""

import attrs

from flamenco_core import JobType, hookimpl, setting


@attrs.frozen(kw_only=True)
class FaultTest(JobType):
    """So many tasks; the last one waits for the first ones."""

    name = "fault-test"
    label = "Fault test"
    tasks: int = setting(10)
    after: int = setting(0)

    def author(self, author):
        made = []
        for number in range(self.tasks):
            task = author.task(f"task-{number}", "misc").command("echo", {"message": "x"})
            if number == self.tasks - 1:
                for parent in made[: self.after]:
                    task.after(parent)
            made.append(task)


@hookimpl
def register_job_types():
    return [FaultTest]
'''


async def until(
    found: Callable[[], object], seconds: float, what: str, every: float = 0.02
) -> float:
    """Wait for something; return how long it took (s), raise `Broken` if it never came."""
    began = time.monotonic()
    while not found():
        if time.monotonic() - began > seconds:
            raise Broken(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(every)
    return time.monotonic() - began


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Manager:
    """One Manager; it can be started again. Everything of it is below one folder."""

    def __init__(
        self,
        stage: Stage,
        name: str = "manager",
        *,
        data: Path | None = None,
        zygote: Zygote | None = None,
        wrap: Sequence[str] = (),
        **env: str,
    ) -> None:
        self.folder = stage.place(name)
        self.data = data or self.folder / "data"
        self.file = self.data / "flamenco-manager.sqlite"
        self.log = self.folder / "manager.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.wrap = tuple(wrap)
        self.pid = 0
        self._zygote = zygote
        self._process: subprocess.Popen[bytes] | None = None
        self._env = self._environment(env)
        stage.leaving.callback(self._clean_up)

    def _environment(self, env: dict[str, str]) -> dict[str, str]:
        plugins = self.folder / "plugins"
        plugins.mkdir(exist_ok=True)
        (plugins / "fault_jobs.py").write_text(PLUGIN)
        ours = {k: v for k, v in os.environ.items() if not k.startswith("FLAMENCO_")}
        ours["FLAMENCO_AUTODISCOVERABLE"] = "false"
        ours["FLAMENCO_PLUGINS_DIR"] = str(plugins)
        return ours | env

    def _clean_up(self) -> None:
        # The end of the row must be heard, whatever becomes of its processes: the runner
        # ends what is left of its group.
        with contextlib.suppress(TimeoutError, subprocess.TimeoutExpired, ProcessLookupError):
            self.kill()

    @property
    def plugins(self) -> Path:
        return self.folder / "plugins"

    # -- life --------------------------------------------------------------------------------

    def launch(self, *more: str, stopped: bool = False) -> None:
        """Start it, and do not wait; *stopped* (with a zygote), it waits for SIGCONT."""
        arguments = ["manager", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}"]
        arguments += ["--shared", str(self.folder / "shared"), *more]
        if self._zygote:
            self.pid = self._zygote.start(arguments, self._env, self.log, stopped)
            # A SIGCONT that comes before it has stopped would be in vain.
            while stopped and not self._is_stopped():
                time.sleep(0.01)
            return
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [*self.wrap, *ARGV, *arguments],
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
            )
        self.pid = self._process.pid

    async def start(self, seconds: float = 60.0, *more: str) -> float:
        """Start it and wait until it is ready; return how long that took (s)."""
        before = self.said().count(READY)
        self.launch(*more)

        def is_ready() -> bool:
            if self.said().count(READY) > before:
                return True
            if not self.is_alive:
                raise Broken(f"the Manager did not start: {self.said()[-600:]}")
            return False

        return await until(is_ready, seconds, "a Manager that is ready", 0.01)

    @property
    def is_alive(self) -> bool:
        if not self.pid:
            return False
        if self._zygote:
            return self._zygote.is_alive(self.pid)
        return self._process is not None and self._process.poll() is None

    def _is_stopped(self) -> bool:
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2][0] in "Tt"

    def signal(self, number: int) -> None:
        """Send a signal to the Manager itself, not to what it is wrapped in."""
        os.kill(self.inner_pid, number)

    @property
    def inner_pid(self) -> int:
        """The Manager's own process; a wrapper's only child."""
        if not self.wrap:
            return self.pid
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        found = children.read_text().split() if children.exists() else []
        return int(found[0]) if found else self.pid

    def kill(self) -> None:
        """End it as a crash does, and wait for its end."""
        if self.is_alive:
            pid = self.inner_pid
            os.kill(pid, signal.SIGKILL)
            if pid != self.pid:
                # The tracer ends with what it traces; if it does not, it is helped.
                try:
                    assert self._process is not None
                    self._process.wait(5)
                except subprocess.TimeoutExpired:
                    os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self, seconds: float = 15.0) -> int:
        """Wait for the end; return the exit code, negative for a signal."""
        if not self.pid:
            return 0
        if self._zygote:
            return self._zygote.wait(self.pid, seconds)
        assert self._process is not None
        return self._process.wait(seconds)

    async def stop(self, seconds: float = 15.0) -> int:
        """End it politely; return its exit code."""
        self.signal(signal.SIGTERM)
        await until(lambda: not self.is_alive, seconds, "the end of the Manager")
        return self.wait()

    # -- what can be seen ----------------------------------------------------------------------

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def memory(self) -> float:
        """Return its resident memory in MB."""
        pages = int(Path(f"/proc/{self.inner_pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def cpu(self) -> float:
        """Return the processor time that it has used (s)."""
        fields = Path(f"/proc/{self.inner_pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def files(self) -> int:
        """Return how many file descriptors it has open."""
        return len(os.listdir(f"/proc/{self.inner_pid}/fd"))

    def http(self, timeout: float = 15.0) -> Http:
        """Return a client of it, for one `async with`."""
        return Http(self.url, timeout=timeout)
