"""Runs the programs of tasks: reads every line, and leaves no process behind.

Two threads belong to each program: one reads its output, one waits for its end. They
behave alike on all platforms and with all event loops, and the reader goes on reading,
if only to throw away, when nobody wants the lines any more: a program must never hang
on a full pipe. It may outlive the event loop, when an escaped process holds the pipe open,
so the threads never wait for the loop: they leave it a note, or find that it has gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shlex
import subprocess
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence

import anyio
import anyio.to_thread
import attrs

from flamenco_core import platform
from flamenco_core.clock import Clock
from flamenco_core.errors import CommandError
from flamenco_core.worker.logchunks import LineSplitter

__all__ = ["HOME_MARK", "LEASE_MARK", "Launch", "end_marked", "run_program", "shell_line"]

log = logging.getLogger(__name__)

LEASE_MARK = "FLAMENCO_TASK_LEASE"
HOME_MARK = "FLAMENCO_WORKER_HOME"
READ_BYTES = 64 * 1024
LAST_WORDS = 0.5
"""How long processes that a program left behind may still write, in seconds."""


@attrs.frozen(kw_only=True)
class Launch:
    """A program to run. ``env`` is its whole environment.

    When it has to end it gets ``grace`` seconds for that, or until ``hurry`` is set.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str | None = None
    grace: float = 5.0
    hurry: anyio.Event = attrs.field(factory=anyio.Event)
    oom_score: int | None = None


def shell_line(argv: Sequence[str]) -> str:
    """Return the command line, ready to paste into a shell."""
    return subprocess.list2cmdline(argv) if platform.WINDOWS else shlex.join(argv)


async def run_program(
    launch: Launch, on_line: Callable[[int, str], Awaitable[object]], clock: Clock
) -> None:
    """Run a program to its end; *on_line* gets its process id and each line.

    However this ends, the program's process group has ended, too. Raises `CommandError`
    when it cannot be started or exits with another code than 0.
    """
    program = _Program(launch, clock)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(program.close_after_exit)
            splitter = LineSplitter()
            async for data in program.output:
                for line in splitter.feed(data):
                    await on_line(program.pid, line)
                program.next_piece()
            for line in splitter.end():
                await on_line(program.pid, line)
            await program.exited.wait()
    finally:
        with anyio.CancelScope(shield=True):
            await program.stop()
    if program.code:
        raise CommandError(f"command exited abnormally with code {program.code}")


async def end_marked(markers: Mapping[str, str]) -> int:
    """End all processes that carry *markers*; return how many there were."""
    return await anyio.to_thread.run_sync(_end_marked, markers)


def _end_marked(markers: Mapping[str, str]) -> int:
    ended: set[int] = set()
    # Some may be starting others at this very moment: look again until there are none.
    for _ in range(20):
        found = platform.find_marked(markers)
        if not found:
            break
        for pid in found:
            platform.kill_process(pid)
        ended.update(found)
    return len(ended)


class _Program:
    """A running program and its two threads.

    The threads run ``_read`` and ``_wait``; all else is of the event loop.
    """

    def __init__(self, launch: Launch, clock: Clock) -> None:
        self._clock = clock
        self._grace = launch.grace
        self._hurry = launch.hurry
        self._popen = _start(launch)
        self.pid = self._popen.pid
        self.code: int | None = None
        self.exited = anyio.Event()
        self._silent = anyio.Event()
        self._pieces = 0
        self._dealing = False
        self._wanted = True
        self._dealt_with = threading.Semaphore(0)
        self._loop = asyncio.get_running_loop()
        # Room for one: the reader takes the next piece when this one has been dealt with.
        self._sending, self.output = anyio.create_memory_object_stream[bytes](1)
        for work in (self._read, self._wait):
            # Daemons: a pipe that an escaped process holds open cannot hold us up.
            threading.Thread(target=work, name=f"pid {self.pid}", daemon=True).start()

    def next_piece(self) -> None:
        """Let the reader take the next piece of output: the last was dealt with."""
        self._dealing = False
        self._dealt_with.release()

    async def close_after_exit(self) -> None:
        """End the output when the program has ended, even if others hold the pipe."""
        await self.exited.wait()
        if platform.group_lives(self.pid):
            # What it left behind may still write last words, but not for long.
            with anyio.move_on_after(LAST_WORDS):
                await self._silent.wait()
            platform.kill_group(self.pid)
        while not self._silent.is_set():
            seen = self._pieces
            with anyio.move_on_after(LAST_WORDS):
                await self._silent.wait()
            # Lines that are still being dealt with are no silence; an idle pipe is one.
            if self._pieces == seen and not self._dealing:
                break
        self._close()

    async def stop(self) -> None:
        """End the whole group: politely, and after the grace time by force."""
        self._close()
        self.output.close()
        if not self.exited.is_set() or platform.group_lives(self.pid):
            platform.end_politely(self.pid)
            async with anyio.create_task_group() as group:
                group.start_soon(self._kill_after_grace, group.cancel_scope)
                await self.exited.wait()
                # The leader is gone; the members get the rest of the grace time.
                while platform.group_lives(self.pid):  # noqa: ASYNC110 (no event for this)
                    await anyio.sleep(0.02)
                group.cancel_scope.cancel()
        await self.exited.wait()

    async def _kill_after_grace(self, scope: anyio.CancelScope) -> None:
        async with anyio.create_task_group() as group:

            async def first(wait: Callable[[], Awaitable[object]]) -> None:
                await wait()
                group.cancel_scope.cancel()

            group.start_soon(first, self._hurry.wait)
            group.start_soon(first, lambda: self._clock.sleep(self._grace))
        log.warning("process %d did not end when asked to; killing its group", self.pid)
        platform.kill_group(self.pid)
        await self.exited.wait()
        # A member in the kernel's hands cannot be waited for.
        scope.cancel()

    def _close(self) -> None:
        """Take no more output: the reader throws away what still comes."""
        self._wanted = False
        self._sending.close()
        # The reader may be waiting already; from here on it looks before it waits.
        self._dealt_with.release()

    def _read(self) -> None:
        pipe = self._popen.stdout
        assert pipe is not None
        with pipe:
            while data := pipe.read(READ_BYTES):
                if self._wanted and self._tell(self._take, data):
                    self._dealt_with.acquire()
        self._tell(self._end_of_output)

    def _wait(self) -> None:
        self._popen.wait()
        self._tell(self._end_of_program)

    def _tell(self, function: Callable[..., object], *args: object) -> bool:
        """Have the event loop call a function soon; False when it has been closed."""
        # No coroutine and no waiting: a loop that stops now drops the call, and that is all.
        try:
            self._loop.call_soon_threadsafe(function, *args)
        except RuntimeError:
            return False
        return True

    def _take(self, data: bytes) -> None:
        self._pieces += 1
        self._dealing = True
        # Closed while this was on its way: nobody wants it any more.
        with contextlib.suppress(anyio.ClosedResourceError):
            self._sending.send_nowait(data)

    def _end_of_output(self) -> None:
        self._silent.set()
        self._close()

    def _end_of_program(self) -> None:
        self.code = self._popen.returncode
        self.exited.set()


def _start(launch: Launch) -> subprocess.Popen[bytes]:
    exe = launch.argv[0]
    try:
        popen = platform.spawn(launch.argv, env=launch.env, cwd=launch.cwd)
    except (OSError, ValueError) as error:
        raise CommandError(f"cannot start {exe!r}: {error}") from error
    if launch.oom_score is not None:
        try:
            # After the start: what the program starts in turn inherits it.
            platform.adjust_oom_score(popen.pid, launch.oom_score)
        except OSError as error:
            log.warning("cannot set oom_score_adjust of %s: %s", os.fsdecode(exe), error)
    return popen
