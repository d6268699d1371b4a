"""Rows 29, 30, 39: requests that no client of ours would send."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import struct
import time
import uuid
import zlib
from typing import Any

from faults.client import Person
from faults.http import Http, NoAnswer
from faults.load import busy_words, slowness
from faults.manager import Manager
from faults.matrix import Broken, Stage, row
from faults.workers import FakeWorker

QUICK = 0.25
MEGABYTE = 2**20
JSON = {"Content-Type": "application/json"}


def _settings(text: bytes) -> bytes:
    head = b'{"name":"a","type":"fault-test","submitter_platform":"linux","settings":{"x":'
    return head + text + b"}}"


BOMBS: dict[str, tuple[bytes, dict[str, str], set[int]]] = {
    "12 MB": (b" " * 12 * MEGABYTE, JSON, {413}),
    "100,000 deep": (_settings(b"[" * 10**5 + b"]" * 10**5), JSON, {400, 413}),
    "500,000 keys": (
        _settings(b"{" + b",".join(b'"%d":[]' % n for n in range(500_000)) + b"}"),
        JSON,
        {400, 413},
    ),
    "number of 5,000 digits": (
        b'{"name":"a","type":"t","submitter_platform":"linux","priority":' + b"9" * 5000 + b"}",
        JSON,
        {400},
    ),
    "NaN": (_settings(b"NaN"), JSON, {400}),
    "NUL": (_settings(b'"a\\u0000b"'), JSON, {400}),
    "half a surrogate": (_settings(b'"\\ud800"'), JSON, {400}),
    "no UTF-8": (_settings(b'"\xff\xfe"'), JSON, {400}),
    "gzip bomb": (
        gzip.compress(b" " * 50 * MEGABYTE),
        {**JSON, "Content-Encoding": "gzip"},
        {400, 413, 415},
    ),
    "text/plain": (_settings(b"1"), {"Content-Type": "text/plain"}, {400, 415}),
}


@row(
    "29",
    "bodies: 12 MB, endless, 100,000 deep, 500,000 keys, gzip bomb, 5,000 digits",
    alone=True,
    limit=60,
)
async def bodies(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    slow, wrong, slowest = slowness(), [], 0.0
    async with manager.http(timeout=20) as http:
        await http.request("POST", "/api/v3/jobs", content=b"{}", headers=JSON)
        before = most = manager.memory()
        for name, (body, headers, expected) in BOMBS.items():
            began = time.perf_counter()
            code = await _code(http, body, headers)
            took = time.perf_counter() - began
            slowest, most = max(slowest, took), max(most, manager.memory())
            if code not in expected:
                wrong.append(f"{name}: {code}, not {min(expected)}")
            if took > QUICK * slow:
                wrong.append(f"{name}: {took:.2f} s{busy_words(slow)}")
        wrong += await _endless(manager)
        most = max(most, manager.memory())
    if most - before > 50:
        wrong.append(f"RSS +{most - before:.0f} MB")
    if wrong:
        raise Broken("; ".join(wrong))
    return f"{len(BOMBS) + 1} refused, slowest {slowest:.2f} s, RSS +{most - before:.0f} MB"


async def _code(http: Http, body: bytes, headers: dict[str, str]) -> int:
    try:
        answer = await http.request("POST", "/api/v3/jobs", content=body, headers=headers)
    except NoAnswer:
        # An answer that came while much was still to be sent may be cut off.
        return 413 if len(body) > MEGABYTE else 0
    return answer.status


async def _endless(manager: Manager) -> list[str]:
    """Send chunks without end; the Manager has to stop it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", manager.port)
    head = b"POST /api/v3/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n")
    sent = 0
    answered = asyncio.create_task(reader.read(1))
    try:
        async with asyncio.timeout(10):
            while not answered.done():
                writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
                await writer.drain()
                await asyncio.sleep(0)
                sent += 0x10000
                if sent > 64 * MEGABYTE:
                    return ["an endless body: 64 MB were taken"]
    except ConnectionError:
        return []
    except TimeoutError:
        return ["an endless body: neither taken nor refused within 10 s"]
    finally:
        answered.cancel()
        await asyncio.gather(answered, return_exceptions=True)
        writer.close()
    return []


RAW: dict[str, bytes] = {
    "length and chunks": b"POST /api/v3/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /live HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": b"POST /api/v3/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Content-Length: 6\r\n\r\nabcdef",
    "length below 0": b"POST /api/v3/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "bad chunk": b"POST /api/v3/jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"zz\r\nabc\r\n",
    "line feeds only": b"GET /live HTTP/1.1\nHost: x\n\n",
    "NUL in a header": b"GET /live HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n",
    "URL of 100 kB": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "200 kB of headers": b"GET /live HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 25_000 + b"\r\n",
    "no method": b" / HTTP/1.1\r\nHost: x\r\n\r\n",
    "unknown version": b"GET /live HTTP/9.9\r\nHost: x\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "noise": bytes(range(256)) * 20,
    "bad percent": b"GET /api/v3/jobs/%zz%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "websocket": b"GET /api/v3/jobs HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eHh4\r\n\r\n",
}
PATHS = [
    "/{}",
    *(f"/api/v3/jobs{rest}" for rest in ("", "/{}", "/{}/setstatus", "/{}/setpriority")),
    *(f"/api/v3/tasks/{{}}{rest}" for rest in ("", "/setstatus", "/logtail")),
    *(f"/api/v3/worker/{rest}" for rest in ("register-worker", "sign-on", "task", "task/{}")),
    *(f"/api/v3/worker-mgt/{rest}" for rest in ("tags", "workers/{}/setstatus")),
]
JUNK: list[Any] = [None, [], {}, 0, -1, 1e308, "", "x" * 500, {"status": 5}, {"priority": "x"}]
JUNK += [{"name": None}, {"name": "a", "type": []}, {"status": "active", "reason": {}}, [[{}]]]
MALFORMED = 2_000


@row("30", "malformed requests: raw sockets, junk to every kind of address", limit=90)
async def malformed(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    async with manager.http(timeout=10) as http:
        await http.get("/live")
        files = manager.files()
        wrong = [f"{name}: {code}" for name in RAW if (code := await _raw(manager, name)) >= 500]
        count = round(MALFORMED * stage.scale)
        for _ in range(count):
            method, path, body = _junk(stage)
            answer = await http.request(method, path, content=body, headers=JSON)
            if answer.status >= 500:
                wrong.append(f"{method} {path} {body[:60]!r}: {answer.status}")
        await asyncio.sleep(1)
        left = manager.files() - files
    if wrong:
        raise Broken(f"{len(wrong)} with 5xx, such as {'; '.join(wrong[:3])}")
    if left > 3:
        raise Broken(f"{left} files are left open")
    if "Traceback" in manager.said():
        raise Broken("a traceback in the log")
    return f"{len(RAW)} raw, {count} malformed: 0 with 5xx, fds {left:+d}"


async def _raw(manager: Manager, name: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", manager.port)
    try:
        writer.write(RAW[name])
        async with asyncio.timeout(5):
            head = await reader.readline()
        return int(head.split()[1]) if head.startswith(b"HTTP/") else 0
    except (TimeoutError, ConnectionError):
        return 0
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def _junk(stage: Stage) -> tuple[str, str, bytes]:
    chance = stage.chance
    id = chance.choice([str(uuid.UUID(int=chance.getrandbits(128))), "x", "%00", "..%2f", "9" * 99])
    path = chance.choice(PATHS).format(id)
    body = json.dumps(chance.choice(JUNK)).encode()
    if chance.random() < 0.3:
        cut = chance.randrange(len(body) + 1)
        body = body[:cut] + bytes(chance.randrange(256) for _ in range(3)) + body[cut:]
    return chance.choice(["GET", "POST", "PUT", "DELETE", "PATCH"]), path, body


def png(width: int, height: int) -> bytes:
    """Return a PNG of one color that says it is so large; a kilobyte or so."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(100_000), 9)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@row("39", "last-rendered images: 60,000 x 60,000 in 1 kB, 25 MB of garbage, wrong type")
async def images(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    worker = FakeWorker(
        url=manager.url, history=stage.history, name="alfa", chance=stage.chance, beat=60
    )
    stage.leaving.callback(worker.http.close)
    async with manager.http() as http:
        await Person(http, stage.history).submit(1)
        await worker.join()
        run = await worker.claim(0)
        assert run
        before, wrong, slow = manager.memory(), [], slowness()
        tried = {
            "60,000 x 60,000": (png(60_000, 60_000), "image/png"),
            "garbage": (b"\x89PNG\r\n\x1a\n" + bytes(24 * MEGABYTE), "image/png"),
            "26 MB": (b"\x89PNG\r\n\x1a\n" + bytes(26 * MEGABYTE), "image/png"),
            "wrong type": (b"GIF89a" + bytes(100), "image/gif"),
            "a text": (b"this is no picture", "image/jpeg"),
            "no image": (b"<svg/>", "image/svg+xml"),
        }
        for name, (image, kind) in tried.items():
            path = f"/api/v3/worker/task/{run.task}/output-produced"
            headers = {"Content-Type": kind}
            began = time.perf_counter()
            try:
                answer = await worker.http.request("POST", path, content=image, headers=headers)
                code = answer.status
            except NoAnswer:
                code = 413 if len(image) > 25 * MEGABYTE else 0
            if code not in (400, 413, 415):
                wrong.append(f"{name}: {code}")
            if time.perf_counter() - began > 2 * slow:
                wrong.append(f"{name}: {time.perf_counter() - began:.1f} s")
        grown = manager.memory() - before
    if wrong:
        raise Broken("; ".join(wrong))
    return f"{len(tried)} refused, RSS +{grown:.0f} MB"
