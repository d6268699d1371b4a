"""An HTTP client that is quick enough to measure a server with.

One connection for each worker, kept alive, one request at a time on each.
"""

from __future__ import annotations

import asyncio
import base64
import re
import time
from urllib.parse import urlsplit

import httpx

__all__ = ["load"]

SECRET = "5" * 64
ASSIGNED = re.compile(rb'"uuid":"([^"]+)".*"epoch":(\d+)', re.DOTALL)
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
WARM_UP = 0.5


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._got = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server hung up"))

    def ask(self, request: bytes) -> asyncio.Future[tuple[int, bytes]]:
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._got += data
        head = self._got.find(b"\r\n\r\n")
        if head < 0 or self._answer is None:
            return
        length = LENGTH.search(self._got, 0, head)
        end = head + 4 + (int(length[1]) if length else 0)
        if len(self._got) >= end:
            status, body = int(self._got[9:12]), self._got[head + 4 : end]
            self._got = self._got[end:]
            self._answer.set_result((status, body))


class Worker:
    """A worker that does nothing but report."""

    def __init__(self, line: Line, host: str, id: str) -> None:
        self._line = line
        credentials = base64.b64encode(f"{id}:{SECRET}".encode()).decode()
        self._head = (
            f" HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {credentials}\r\n"
            "User-Agent: Flamenco/bench\r\nFlamenco-Heartbeat: 5\r\n"
        ).encode()
        self.cycles = 0

    async def post(self, path: bytes, body: bytes = b"", more: bytes = b"") -> tuple[int, bytes]:
        request = b"POST /api/v3/worker/%b%b%b" % (path, self._head, more)
        if body:
            request += b"Content-Type: application/json\r\n"
        request += b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        status, answer = await self._line.ask(request)
        assert status in (200, 204), (status, answer)
        return status, answer

    async def live(self, protocol: str, until: float) -> None:
        epoch = protocol == "ours"
        following = b"Prefer: next-task\r\n" if epoch else b""
        answer = b""
        while time.perf_counter() < until:
            found = ASSIGNED.search(answer) or ASSIGNED.search((await self.post(b"task"))[1])
            if found is None:
                raise RuntimeError("no tasks are left: submit more")
            path, run = b"task/" + found[1], b',"epoch":%b' % found[2] if epoch else b""
            numbers = (run + b',"seq":1', run + b',"seq":2') if epoch else (b"", b"")
            said = b'{"taskStatus":"active","activity":"Started"%b}'
            await self.post(path, said % numbers[0])
            said = b'{"taskStatus":"completed","activity":"Completed"%b}'
            _, answer = await self.post(path, said % numbers[1], following)
            self.cycles += 1


async def load(url: str, clients: int, seconds: float, protocol: str) -> float:
    """Return how many life cycles per second *clients* workers get through."""
    where = urlsplit(url)
    loop = asyncio.get_running_loop()
    workers = []
    for id in await joined(url, clients):
        _, line = await loop.create_connection(Line, where.hostname, where.port)
        workers.append(Worker(line, where.netloc, id))
    until = time.perf_counter() + WARM_UP + seconds
    lives = [asyncio.create_task(worker.live(protocol, until)) for worker in workers]
    await asyncio.sleep(WARM_UP)
    before, started = sum(worker.cycles for worker in workers), time.perf_counter()
    await asyncio.gather(*lives)
    rate = (sum(worker.cycles for worker in workers) - before) / (time.perf_counter() - started)
    # What they were given last goes back, so that the next measurement finds a clean farm.
    await asyncio.gather(*(worker.post(b"sign-off") for worker in workers))
    return rate


async def joined(url: str, clients: int) -> list[str]:
    """Register so many workers and make them awake."""
    ids = []
    async with httpx.AsyncClient(base_url=f"{url}/api/v3/worker/", timeout=60) as http:
        for number in range(clients):
            body = {
                "name": f"bench-{number}",
                "platform": "linux",
                "secret": SECRET,
                "supported_task_types": ["misc"],
            }
            id = (await http.post("register-worker", json=body)).json()["uuid"]
            answer = await http.post("state-changed", json={"status": "awake"}, auth=(id, SECRET))
            answer.raise_for_status()
            ids.append(id)
    return ids
