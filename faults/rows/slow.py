"""F11, row 28: clients that are slow on purpose; row 44: no file descriptors; row 42: streams."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator

from faults.client import Person
from faults.http import NoAnswer
from faults.load import busy_words, slowness
from faults.manager import Manager, until
from faults.matrix import Broken, Stage, row
from faults.workers import FakeWorker, run_farm

HALF = b"POST /api/v3/jobs HTTP/1.1\r\nHost: x\r\nX-a: "
HEADERS_WITHIN = 10.0
BODY_WITHIN = 30.0


class Pings:
    """Asks again and again whether the Manager is alive, and how long that takes."""

    def __init__(self, manager: Manager, every: float = 0.02) -> None:
        self._manager = manager
        self._every = every
        self.times: list[float] = []
        self.failures = 0

    @contextlib.asynccontextmanager
    async def going_on(self) -> AsyncIterator[Pings]:
        task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        async with self._manager.http(timeout=5) as http:
            while True:
                began = time.perf_counter()
                try:
                    await http.get("/live")
                    self.times.append(time.perf_counter() - began)
                except NoAnswer:
                    self.failures += 1
                await asyncio.sleep(self._every)

    def worst(self, part: float = 1.0) -> float:
        """Return the longest time but for some (ms)."""
        times = sorted(self.times) or [float("inf")]
        return times[max(0, round(len(times) * part) - 1)] * 1000


async def _hold(manager: Manager, count: int, beginning: bytes) -> list[socket.socket]:
    held = []
    loop = asyncio.get_running_loop()
    for _ in range(count):
        connection = socket.socket()
        connection.setblocking(False)
        await loop.sock_connect(connection, ("127.0.0.1", manager.port))
        await loop.sock_sendall(connection, beginning)
        held.append(connection)
    return held


def _close(held: list[socket.socket]) -> None:
    for connection in held:
        connection.close()


def _open(held: list[socket.socket]) -> list[socket.socket]:
    """Return the connections that the Manager has not closed."""
    still = []
    for connection in held:
        try:
            while connection.recv(4096):
                pass
        except BlockingIOError:
            still.append(connection)
        except OSError:
            pass
    return still


async def _closed(held: list[socket.socket], seconds: float) -> float:
    """Wait until all are closed; return how long that took (s)."""
    began = time.monotonic()
    while left := _open(held):
        if time.monotonic() - began > seconds:
            raise Broken(f"{len(left)} of {len(held)} are still open after {seconds:.0f} s")
        held = left
        await asyncio.sleep(0.1)
    return time.monotonic() - began


@row("F11", "row 28: 1,000 connections with half a request", alone=True, limit=60)
async def half_open(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    lines = manager.said().count("\n")
    slow = slowness()
    pings = Pings(manager)
    async with pings.going_on():
        held = await _hold(manager, 1000, HALF)
        stage.leaving.callback(_close, held)
        try:
            took = await _closed(held, HEADERS_WITHIN + 3 * slow)
            figure, wrong = f"1,000 of 1,000 closed within {took:.1f} s", False
        except Broken as error:
            figure, wrong = str(error), True
    slow = max(slow, slowness())
    lines = manager.said().count("\n") - lines
    figure += f"; ping p99 {pings.worst(0.99):.0f} ms, {pings.failures} unanswered, {lines} log"
    figure += f" lines{busy_words(slow)}"
    if wrong or pings.worst(0.99) > 100 * slow or pings.failures or lines > 10:
        raise Broken(figure)
    return figure


@row("28", "slow clients: a byte of body a second, an event stream that nobody reads", limit=90)
async def slow_clients(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    head = b"POST /api/v3/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    bodies = await _hold(manager, 20, head + b"Content-Length: 1000\r\n\r\n{")
    began = time.monotonic()
    reader = await _stream_unread(stage, manager)
    loop = asyncio.get_running_loop()
    while left := _open(bodies):
        if time.monotonic() - began > BODY_WITHIN + 10:
            raise Broken(
                f"{len(left)} of {len(bodies)} bodies of a byte a second are still"
                f" open after {time.monotonic() - began:.0f} s{reader}"
            )
        for connection in left:
            with contextlib.suppress(OSError):
                await loop.sock_sendall(connection, b" ")
        bodies = left
        await asyncio.sleep(1)
    return f"bodies closed after {time.monotonic() - began:.0f} s{reader}"


async def _stream_unread(stage: Stage, manager: Manager) -> str:
    """Open streams that are never read, let much happen, and see what they cost."""
    head = b"GET /api/v3/events HTTP/1.1\r\nHost: x\r\n\r\n"
    held = await _hold(manager, 50, head)
    stage.leaving.callback(_close, held)
    before = manager.memory()
    async with manager.http() as http:
        person = Person(http, stage.history)
        for _ in range(60):
            job = await person.submit(1)
            for _ in range(3):
                await person.cancel(job)
                await person.requeue(job)
    grown = manager.memory() - before
    if grown > 60:
        raise Broken(f"50 streams that nobody reads cost {grown:.0f} MB")
    return f"; 50 unread streams: RSS +{grown:.0f} MB"


@row("42", "1,000 event streams, and readers that vanish in the middle", limit=90)
async def streams(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    head = b"GET /api/v3/events HTTP/1.1\r\nHost: x\r\n\r\n"
    await _round(stage, manager, head, 1000)
    first, files = manager.memory(), manager.files()
    for _ in range(3):
        await _round(stage, manager, head, 1000)
    grown, left = manager.memory() - first, manager.files() - files
    if grown > 30 or left > 10:
        raise Broken(f"after 4 x 1,000 streams: RSS +{grown:.0f} MB, {left} files left open")
    return f"4 x 1,000 streams that vanished: RSS +{grown:.1f} MB after the first, fds {left:+d}"


async def _round(stage: Stage, manager: Manager, head: bytes, count: int) -> None:
    """Open streams, let something happen, and cut them off without a word."""
    held = await _hold(manager, count, head)
    await until(lambda: manager.files() > count, 20, f"{count} open streams")
    async with manager.http(timeout=60) as http:
        person = Person(http, stage.history)
        for _ in range(5):
            await person.submit(2)
        for connection in held:
            # Reset, not closed in order: the Manager is in the middle of a write.
            linger = b"\x01\0\0\0\0\0\0\0"
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            connection.close()
        await person.submit(2)
        # Who is gone is noticed when it is written to, at the latest with the next ping.
        quiet = manager.files()
        for _ in range(100):
            await asyncio.sleep(0.1)
            await person.submit(1)
            if manager.files() < quiet - count // 2 or manager.files() < 100:
                return


@row("44", "no file descriptors left (ulimit 256)", needs="linux", limit=60)
async def no_files(stage: Stage) -> str:
    manager = Manager(stage, wrap=("sh", "-c", 'ulimit -n 256; exec "$@"', "sh"))
    await manager.start()
    # `exec` puts the Manager in the shell's place: there is no process in between.
    manager.wrap = ()
    worker = FakeWorker(
        url=manager.url, history=stage.history, name="alfa", chance=stage.chance, beat=1
    )
    async with manager.http(timeout=5) as http:
        person = Person(http, stage.history)
        async with run_farm([worker]):
            await person.submit(3)
            lines = manager.said().count("\n")
            held = await _hold(manager, 320, b"GET / HTTP/1.1\r\n")
            began, requests = time.monotonic(), worker.last_seen
            while time.monotonic() - began < 6:
                await person.submit(2)
                await asyncio.sleep(0.3)
            noise = manager.said().count("\n") - lines
            served = worker.last_seen > requests
            for connection in held:
                connection.close()
            await asyncio.sleep(1)
            async with manager.http(timeout=5) as fresh:
                recovered = (await fresh.get("/live")).status == 200
    if not served or not recovered:
        raise Broken(f"workers served: {served}, recovered: {recovered}, {noise} log lines")
    if noise > 20:
        raise Broken(f"{noise} log lines in 6 s, where one a minute is enough")
    return f"workers served throughout, recovered; {noise} log lines in 6 s"
