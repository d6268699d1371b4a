"""A small HTTP client: a tenth of the work of a big one, so that the Manager is what is slow.

Each `Http` keeps its connections open. Whatever keeps an answer from coming is
`NoAnswer`; whether the request was carried out is then not known.
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any
from urllib.parse import urlsplit

import attrs

__all__ = ["Answer", "Http", "NoAnswer"]


class NoAnswer(OSError):
    """No answer came; nobody knows what became of the request."""


@attrs.frozen
class Answer:
    """What the Manager said."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")

    def json(self) -> Any:
        return json.loads(self.content)


@attrs.define
class _Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def is_open(self) -> bool:
        return not (self.reader.at_eof() or self.writer.is_closing())


class Http:
    """Speaks to one Manager; many requests may be on their way at the same time."""

    def __init__(self, url: str, *, timeout: float = 15.0, auth: tuple[str, str] | None = None):
        where = urlsplit(url)
        self._host, self._port = where.hostname or "", where.port or 80
        self._timeout = timeout
        self._idle: list[_Line] = []
        self.auth = auth

    async def __aenter__(self) -> Http:
        return self

    async def __aexit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are not in use."""
        for line in self._idle:
            line.writer.close()
        self._idle.clear()

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Ask and return the answer; raises `NoAnswer`."""
        data = self._request(method, path, json, content, headers or {})
        line: _Line | None = None
        try:
            async with asyncio.timeout(self._timeout):
                line = await self._line()
                line.writer.write(data)
                answer = await _read(line.reader, method)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            if line:
                line.writer.close()
            raise NoAnswer(f"{method} {path}: {error!r}") from error
        except BaseException:
            if line:
                line.writer.close()
            raise
        if answer.headers.get("connection", "").lower() == "close":
            line.writer.close()
        else:
            self._idle.append(line)
        return answer

    async def get(self, path: str) -> Answer:
        return await self.request("GET", path)

    async def _line(self) -> _Line:
        while self._idle:
            if (line := self._idle.pop()).is_open:
                return line
            line.writer.close()
        return _Line(*await asyncio.open_connection(self._host, self._port))

    def _request(
        self, method: str, path: str, data: Any, content: bytes | None, headers: dict[str, str]
    ) -> bytes:
        head = {"Host": f"{self._host}:{self._port}"}
        if self.auth:
            pair = base64.b64encode(":".join(self.auth).encode()).decode()
            head["Authorization"] = f"Basic {pair}"
        if data is not None:
            head["Content-Type"] = "application/json"
            content = json.dumps(data).encode()
        if content is not None or method not in ("GET", "DELETE"):
            head["Content-Length"] = str(len(content or b""))
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in (head | headers).items())]
        return "\r\n".join([*lines, "", ""]).encode() + (content or b"")


async def _read(reader: asyncio.StreamReader, method: str) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ")[1])
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {key.strip().lower(): value.strip() for key, _, value in pairs}
    if method == "HEAD" or status in (204, 304):
        body = b""
    elif headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(status, headers, body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body
