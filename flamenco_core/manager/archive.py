"""A job with everything that is known of it, as one zip file; see docs/reference/archive.md.

It is written piece by piece while it is read from the database and the disk, so that it
takes little memory and holds nobody up, however big the job is.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from flamenco_core import __version__
from flamenco_core.clock import rfc3339
from flamenco_core.errors import ConfigError
from flamenco_core.manager.http.views import job_view
from flamenco_core.manager.log_view import log_blocks
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.usecases import archive as facts
from flamenco_core.platform import sync_folder
from flamenco_core.wire.converter import unstructure

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["FORMAT", "Archiver", "archive_name"]

FORMAT = 1
PIECE = 256 * 1024
"""About so many bytes are handed on at a time."""
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")


def archive_name(job: str, name: str) -> str:
    """Return what the archive of a job is called: part of its name, and its id."""
    return f"{_NOT_IN_NAMES.sub('-', name).strip('-.')[:40] or 'job'}-{job}.zip"


class _Sink:
    """What a zip file is written to; whoever sends it on takes it from here."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: there is nothing behind it."""

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts, self.size = [], 0
        return data


class Archiver:
    """Makes archives of a Manager's jobs."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    async def stream(self, job: str) -> AsyncIterator[bytes]:
        """Yield the archive of a job in pieces; raises `NotFound` before the first."""
        database, now = self._manager.database, self._manager.clock.now()
        row = await database.read(job_rows.job_by_uuid, job)
        writer = _Writer(now)
        try:
            async for piece in self._pieces(writer, row, now):
                yield piece
        finally:
            writer.close()

    async def _pieces(self, writer: _Writer, row: Any, now: int) -> AsyncIterator[bytes]:
        database, job = self._manager.database, row.uuid
        about = {"format": FORMAT, "flamenco": __version__, "made": rfc3339(now), "job": job}
        yield await asyncio.to_thread(writer.whole, "archive.json", about)
        yield await asyncio.to_thread(writer.whole, "job.json", unstructure(job_view(row)))
        after, tell = -1, self._manager.command_words.lines
        while page := await database.read(facts.tasks_after, row.id, after, tell):
            after = page[-1].row.index_in_job
            async for piece in _in_thread(self._of_tasks(writer, page)):
                yield piece
        yield await asyncio.to_thread(writer.tables)
        for path in await asyncio.to_thread(self._manager.last_rendered.files.paths, job):
            yield await asyncio.to_thread(writer.file, f"images/{path.name}", path)
        blocks = await database.read(facts.blocks_of, row.id)
        yield await asyncio.to_thread(writer.whole, "blocklist.json", blocks)
        yield await asyncio.to_thread(writer.end)

    def _of_tasks(self, writer: _Writer, page: Iterable[facts.TaskFacts]) -> Iterator[bytes]:
        for task in page:
            writer.line("tasks.jsonl", task.task)
            for run in task.runs:
                writer.line("runs.jsonl", run)
            for failure in task.failures:
                writer.line("failures.jsonl", failure)
            if task.log.runs:
                name = f"logs/{task.row.index_in_job:06}-{task.row.uuid}.txt"
                yield from writer.blocks(name, log_blocks(self._manager.logs, task.log))

    async def store(self, job: str) -> Path:
        """Put the archive of a job into the folder of the settings; return the file.

        An older one of the job is replaced. Raises `ConfigError` without such a folder.
        """
        folder = self._manager.settings.cleanup.archive_path
        if folder is None:
            raise ConfigError("there is no folder for archives; set 'cleanup.archive_path'")
        row = await self._manager.database.read(job_rows.job_by_uuid, job)
        target = folder / archive_name(job, row.name)
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".archive-", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                async for piece in self.stream(job):
                    await asyncio.to_thread(file.write, piece)
                await asyncio.to_thread(_sync, file)
            await asyncio.to_thread(_give_name, Path(name), target)
        finally:
            await asyncio.to_thread(Path(name).unlink, missing_ok=True)
        return target


def _sync(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def _give_name(unfinished: Path, target: Path) -> None:
    unfinished.chmod(0o640)
    unfinished.replace(target)
    sync_folder(target.parent)


async def _in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


class _Writer:
    """Writes the entries; what is ready to be sent on is returned."""

    def __init__(self, now: int) -> None:
        self._sink = _Sink()
        # It cannot seek; a zip file can do without, but its type does not say so.
        self._zip = zipfile.ZipFile(cast("Any", self._sink), "w", zipfile.ZIP_DEFLATED)
        self._time = datetime.fromtimestamp(now / 1_000_000, UTC).timetuple()[:6]
        # Lines of several tables come mixed; a zip file takes one entry after the other.
        self._lines: dict[str, Any] = {
            name: tempfile.SpooledTemporaryFile(max_size=PIECE)  # noqa: SIM115 (closed by `tables`)
            for name in ("tasks.jsonl", "runs.jsonl", "failures.jsonl")
        }

    def _entry(self, name: str) -> Any:
        info = zipfile.ZipInfo(name, self._time)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o640 << 16
        return self._zip.open(info, "w", force_zip64=True)

    def whole(self, name: str, value: Any) -> bytes:
        """Write a small entry of JSON."""
        with self._entry(name) as entry:
            entry.write(json.dumps(value, indent=1, ensure_ascii=False).encode())
        return self._sink.take()

    def line(self, table: str, value: Any) -> None:
        """Add a line to a table."""
        self._lines[table].write(json.dumps(value, ensure_ascii=False).encode() + b"\n")

    def tables(self) -> bytes:
        """Write the tables."""
        for name, lines in self._lines.items():
            lines.seek(0)
            self._copy(name, lines)
            lines.close()
        return self._sink.take()

    def file(self, name: str, path: Path) -> bytes:
        """Write a file of the disk; one that is gone by now is left out."""
        with suppress(FileNotFoundError), path.open("rb") as source:
            self._copy(name, source)
        return self._sink.take()

    def _copy(self, name: str, source: Any) -> None:
        with self._entry(name) as entry:
            while block := source.read(PIECE):
                entry.write(block)

    def blocks(self, name: str, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Write an entry of blocks, and yield what is big enough to be sent on."""
        with self._entry(name) as entry:
            for block in blocks:
                entry.write(block)
                if self._sink.size >= PIECE:
                    yield self._sink.take()

    def close(self) -> None:
        """Remove what is only needed while writing."""
        for lines in self._lines.values():
            lines.close()

    def end(self) -> bytes:
        """Write the table of contents, without which nobody takes it for whole."""
        self._zip.close()
        return self._sink.take()
