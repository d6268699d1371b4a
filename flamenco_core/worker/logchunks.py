"""Gathers a run's log into pieces that are worth a request.

A piece goes when it is big enough or old enough. The age is looked at by a timer, not
when the next line arrives: a silent Blender's last words must not wait for its next ones.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import anyio

from flamenco_core.clock import Clock

__all__ = ["CHUNK_BYTES", "LINE_BYTES", "LineSplitter", "LogChunks", "clean", "pieces"]

CHUNK_BYTES = 10_240
LINE_BYTES = 40 * 1024
BURST_SECONDS = 4


def clean(text: str) -> str:
    """Return *text* as valid UTF-8 can carry it, without NULs, which databases refuse."""
    # File names that are not UTF-8 reach Python as lone surrogates.
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def pieces(data: bytes, longest: int = LINE_BYTES) -> Iterator[bytes]:
    """Cut a line into pieces of at most *longest* bytes, never inside a character."""
    while len(data) > longest:
        cut = longest
        # A character of UTF-8 has at most three bytes that continue it.
        while cut > longest - 4 and data[cut] & 0xC0 == 0x80:
            cut -= 1
        cut = longest if data[cut] & 0xC0 == 0x80 else cut
        yield data[:cut]
        data = data[cut:]
    yield data


class LineSplitter:
    """Makes lines of a program's output, however it arrives."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[str]:
        """Return the lines that *data* ends; keep what is left for later."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield from _texts(line)
        if len(self._rest) > LINE_BYTES:
            *whole, self._rest = pieces(self._rest)
            for piece in whole:
                yield from _texts(piece)

    def end(self) -> Iterator[str]:
        """Return the last line, if it did not end."""
        rest, self._rest = self._rest, b""
        return _texts(rest) if rest else iter(())


def _texts(line: bytes) -> Iterator[str]:
    for piece in pieces(line.removesuffix(b"\r")):
        yield clean(piece.decode("utf-8", "replace"))


class LogChunks:
    """The log of one run; *send* takes pieces of it, each of whole lines.

    A run that logs more than *rate* bytes a second for long loses lines, and its log says
    how many: better than to fill the Manager's disk.
    """

    def __init__(
        self,
        send: Callable[[str], Awaitable[object]],
        *,
        clock: Clock,
        age: float = 2.0,
        rate: int = 1_000_000,
    ) -> None:
        self._send = send
        self._clock = clock
        self._age = age
        self._rate = rate
        self._allowed = float(rate * BURST_SECONDS)
        self._counted = clock.monotonic()
        self._lines: list[str] = []
        self._size = 0
        self._left_out = 0
        self._begun = anyio.Event()

    async def add(self, line: str) -> None:
        """Add a line; sends what has gathered when it is enough."""
        if not self._may_add(len(line) + 1):
            self._left_out += 1
            return
        if self._left_out:
            self._append(f"[{self._left_out} lines left out: too much output]")
            self._left_out = 0
        for piece in pieces(clean(line).encode()):
            self._append(piece.decode("utf-8", "replace"))
            if self._size > CHUNK_BYTES:
                await self.flush()

    def take(self) -> str | None:
        """Return what has gathered instead of sending it, to go with another message."""
        if self._left_out:
            self._append(f"[{self._left_out} lines left out: too much output]")
            self._left_out = 0
        text = "".join(self._lines)
        self._lines.clear()
        self._size = 0
        return text or None

    async def flush(self) -> None:
        """Send what has gathered."""
        if text := self.take():
            await self._send(text)

    async def run(self) -> None:
        """Send what has become old enough, until cancelled."""
        while True:
            await self._begun.wait()
            await self._clock.sleep(self._age)
            self._begun = anyio.Event()
            await self.flush()

    def _append(self, line: str) -> None:
        self._lines.append(f"{line}\n")
        self._size += len(line.encode()) + 1
        self._begun.set()

    def _may_add(self, size: int) -> bool:
        now = self._clock.monotonic()
        grown = self._allowed + (now - self._counted) * self._rate
        self._allowed = min(grown, float(self._rate * BURST_SECONDS))
        self._counted = now
        if self._allowed < size:
            return False
        self._allowed -= size
        return True
