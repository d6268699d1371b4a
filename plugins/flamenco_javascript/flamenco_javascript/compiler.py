"""Runs scripts in child processes: a few at a time, each once, none for long."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from typing import Any, Literal

import anyio
import anyio.to_thread
import attrs
import msgspec

from flamenco_core.domain.frames import MAX_FRAMES
from flamenco_core.errors import Busy, JobTypeError
from flamenco_core.platform import go_os
from flamenco_javascript.folder import Script
from flamenco_javascript.process import Child, Output
from flamenco_javascript.settings import Settings

__all__ = ["Compiler", "NoJobType", "OverLimit"]

log = logging.getLogger(__name__)

# What V8 and the operating system say when there is no more memory.
_OUT_OF_MEMORY = (b"out of memory", b"OOM", b"MemoryError", b"Cannot allocate memory")
# Over these a library stumbles when it is run by itself.
_LIBRARY_ERRORS = ("ReferenceError: exports is not", "ReferenceError: module is not")
_NO_MEMORY_ERRORS = ("RangeError: Array buffer allocation failed",)


class OverLimit(JobTypeError):
    """A script took too long or needed too much memory; another time it may not."""


class NoJobType(JobTypeError):
    """A file is a library: it has no JOB_TYPE."""


@attrs.frozen(kw_only=True)
class _Failure:
    kind: Literal["script", "time", "memory"]
    message: str
    file: str
    line: int
    column: int


_NOTHING = msgspec.Raw(b"")


@attrs.frozen(kw_only=True)
class _Answer:
    """One line of JSON of the child; what is ok is decoded later, and elsewhere."""

    said: Any = None
    ok: msgspec.Raw = _NOTHING
    error: _Failure | None = None


class Compiler:
    """Asks child processes, made by *start*; it has no state but who is waiting."""

    def __init__(self, settings: Settings, start: Callable[[], Child] = Child) -> None:
        self.settings = settings
        self._start = start
        self._turns = anyio.CapacityLimiter(settings.at_once)

    def follow(self, settings: Settings) -> None:
        """Go by other settings from the next run on."""
        self.settings = settings
        self._turns.total_tokens = settings.at_once

    async def ask(
        self, script: Script, wants: str, frames: int = MAX_FRAMES, **facts: Any
    ) -> bytes:
        """Run *script*, return the answer as JSON; a range has at most so many *frames*.

        Raises `JobTypeError` with file and line, and `Busy` when too many wait already.
        """
        if self._turns.statistics().tasks_waiting >= self.settings.queue:
            raise Busy("too many jobs are being compiled; try again in a few seconds")
        request = self._request(script, wants, frames, facts)
        output = await anyio.to_thread.run_sync(self._run, request, limiter=self._turns)
        return self._answer(script, output)

    def _request(self, script: Script, wants: str, frames: int, facts: dict[str, Any]) -> bytes:
        return msgspec.json.encode(
            {
                "wants": wants,
                "file": script.file,
                "source": script.source,
                "libraries": dict(script.libraries.texts),
                "limits": self.settings.limits() | {"frames": frames},
                "cwd": os.getcwd().replace("\\", "/"),  # noqa: PTH109 (a text is wanted)
                "platform": go_os(),
                **facts,
            }
        )

    def _run(self, request: bytes) -> Output:
        child = self._start()
        # Some room for V8's last words and for what the script printed.
        most = (self.settings.answer_mb + 8) << 20
        return child.ask(request, seconds=self.settings.kill_after, most=most)

    def _answer(self, script: Script, output: Output) -> bytes:
        if output.overflow:
            raise JobTypeError(self._too_large(script))
        line = output.data.rstrip(b"\n").rpartition(b"\n")[2]
        try:
            answer = msgspec.json.decode(line, type=_Answer)
        except msgspec.DecodeError:
            raise self._died(script, output) from None
        _repeat(script, answer.said)
        if answer.error is not None:
            raise self._failed(script, answer.error)
        if not bytes(answer.ok):
            raise JobTypeError(f"{script.file}: the script gave no answer")
        return bytes(answer.ok)

    def _failed(self, script: Script, error: _Failure) -> JobTypeError:
        if error.kind == "time":
            return OverLimit(self._too_slow(script))
        where = f"{error.file}:{error.line}:{error.column}" if error.line else error.file
        if error.kind == "memory" or error.message.startswith(_NO_MEMORY_ERRORS):
            return OverLimit(self._too_much_memory(where or script.file))
        name, _, text = error.message.partition(": ")
        if name == "NoJobType" or error.message.startswith(_LIBRARY_ERRORS):
            return NoJobType(f"{script.file}: it does not define JOB_TYPE")
        if name == "TooLarge":
            return JobTypeError(f"{where}: too large: {text}")
        return JobTypeError(f"{text if name == 'Error' else error.message} ({where})")

    def _died(self, script: Script, output: Output) -> JobTypeError:
        out_of_time = {-getattr(signal, "SIGXCPU", 0), -getattr(signal, "SIGKILL", 0)} - {0}
        if output.late or output.code in out_of_time:
            return OverLimit(self._too_slow(script))
        if any(words in output.data for words in _OUT_OF_MEMORY):
            return OverLimit(self._too_much_memory(script.file))
        log.error(
            "%s crashed the script engine:\n%s",
            script.file,
            output.data[-2000:].decode(errors="replace"),
        )
        return OverLimit(
            f"{script.file}: the script crashed the script engine (code {output.code})"
        )

    def _too_slow(self, script: Script) -> str:
        return (
            f"{script.file}: too slow: it ran for more than {self.settings.seconds:g} seconds;"
            " does it loop for ever? (plugins: javascript: seconds)"
        )

    def _too_much_memory(self, where: str) -> str:
        most = self.settings.memory_mb
        return (
            f"{where}: too much memory: it needs more than {most} MB; does something grow for ever?"
            " (plugins: javascript: memory_mb)"
        )

    def _too_large(self, script: Script) -> str:
        most = f"{self.settings.answer_mb} MB (plugins: javascript: answer_mb)"
        return f"{script.file}: too large: the job is more than {most}"


def _repeat(script: Script, said: Any) -> None:
    """Log what the script printed; a script may have spoilt the list, so look at it."""
    for entry in said if isinstance(said, list) else ():
        match entry:
            case ["warning", str(text)]:
                log.warning("%s: %s", script.file, text)
            case ["info", str(text)]:
                log.info("%s: %s", script.file, text)
