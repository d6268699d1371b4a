"""The job types of some folders of scripts."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
import anyio.to_thread
import attrs

from flamenco_core.clock import Clock, NewId
from flamenco_core.errors import JobTypeError
from flamenco_core.offers import AuthoredJob, Setting, Submission
from flamenco_javascript.authored import read_job
from flamenco_javascript.compiler import Compiler, NoJobType, OverLimit
from flamenco_javascript.definition import Definition, read_definition
from flamenco_javascript.folder import Script
from flamenco_javascript.reading import FolderReader
from flamenco_javascript.settings import Settings

__all__ = ["ScriptJobType", "ScriptJobTypes", "describe"]

log = logging.getLogger(__name__)

SECOND_CHANCE = 60.0
"""Seconds after which a script that was over a limit is tried again; each time doubled."""
LAST_CHANCE = 3600.0
"""The longest of these pauses: a loop without end must not keep the processor warm."""


@attrs.frozen(kw_only=True)
class ScriptJobType:
    """A job type written in JavaScript, as its file was when it was read."""

    name: str
    source_hash: str
    """SHA-256 of the script file, in hex: what ``sha256sum`` says."""
    _definition: Definition
    _script: Script
    _compiler: Compiler
    _new_id: NewId

    @property
    def source_file(self) -> Path:
        """The script."""
        return self._script.path

    @property
    def label(self) -> str:
        """Name for people."""
        return self._definition.label

    @property
    def description(self) -> str:
        """One sentence for people; may be empty."""
        return self._definition.description

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What people fill in."""
        return self._definition.settings

    async def compile(self, submission: Submission) -> AuthoredJob:
        """Call the script's compileJob in a process of its own.

        Raises `JobTypeError` with the script's own words, file and line, or with the
        limit that it broke; `Busy` when too many wait already.
        """
        answer = await self._compiler.ask(
            self._script,
            "compile",
            frames=submission.most_frames,
            id=self._new_id(),
            job=_job(submission),
        )
        limits = self._compiler.settings
        return await anyio.to_thread.run_sync(read_job, self._script.file, answer, limits)


def _job(submission: Submission) -> dict[str, object]:
    return {
        "jobID": submission.job_id,
        "name": submission.name,
        "jobType": submission.type,
        "priority": submission.priority,
        "created": submission.created // 1000,
        "settings": dict(submission.settings),
        "metadata": dict(submission.metadata),
        "shamanCheckoutID": submission.shaman_checkout_id,
        "workerTagUUID": submission.worker_tag,
    }


async def describe(script: Script, compiler: Compiler, new_id: NewId) -> ScriptJobType:
    """Run the script's global code and read JOB_TYPE; raises `JobTypeError`."""
    if script.problem is not None:
        raise JobTypeError(script.problem)
    definition = read_definition(script.file, await compiler.ask(script, "describe"))
    return ScriptJobType(
        name=script.name,
        source_hash=script.hash,
        definition=definition,
        script=script,
        compiler=compiler,
        new_id=new_id,
    )


_Key = tuple[Path, tuple[str, str, str | None]]


@attrs.frozen(kw_only=True)
class _Known:
    """What became of a script; *until* is when to try again, after a pause of *pause* s."""

    found: ScriptJobType | JobTypeError
    until: float = float("inf")
    pause: float = 0.0


class ScriptJobTypes:
    """All job types in the folders, as the files are at each question.

    What a script says is kept until it, or any file that it may require, changes. The
    former version of a script that is broken now is not used any more: who has edited it
    meant to replace it, and a farm that renders something else than the file says is
    worse than a refused job.
    """

    name = "javascript"

    def __init__(
        self, folders: Sequence[Path], compiler: Compiler, clock: Clock, new_id: NewId
    ) -> None:
        self._reader = FolderReader(folders, clock)
        self._compiler = compiler
        self._clock = clock
        self._new_id = new_id
        self._known: dict[_Key, _Known] = {}
        self._locks: dict[_Key, anyio.Lock] = {}
        self._problems: dict[str, str] = {}

    def follow(self, settings: Settings) -> None:
        """Look into other folders, and let scripts cost something else, from now on."""
        self._compiler.follow(settings)
        self._reader = FolderReader(settings.scripts, self._clock)
        for key, known in [*self._known.items()]:
            # What was over a limit may not be over the new one.
            if isinstance(known.found, OverLimit):
                del self._known[key]

    async def all(self) -> list[ScriptJobType]:
        """Return the job types that are usable now, by name; broken ones are logged."""
        scripts = await self._scripts()
        found = {name: await self._look_at(script) for name, script in scripts.items()}
        self._problems = {name: str(what) for name, what in found.items() if _is_problem(what)}
        return [what for what in found.values() if isinstance(what, ScriptJobType)]

    def problems(self) -> Mapping[str, str]:
        """Return what was wrong with which script when `all` looked the last time."""
        return self._problems

    async def get(self, name: str) -> ScriptJobType | None:
        """Return one job type, or None if there is no script for it.

        Raises `JobTypeError`, with file and line, when its script is broken.
        """
        script = (await self._scripts()).get(name)
        if script is None:
            return None
        found = await self._look_at(script)
        if isinstance(found, JobTypeError):
            # A new one: raised twice, an exception would drag its old traceback along.
            raise type(found)(*found.args)
        return found

    async def _scripts(self) -> dict[str, Script]:
        scripts = await anyio.to_thread.run_sync(self._reader.scripts)
        current = {_key(script) for script in scripts.values()}
        for kept in (self._known, self._locks):
            for key in kept.keys() - current:
                kept.pop(key, None)
        return scripts

    async def _look_at(self, script: Script) -> ScriptJobType | JobTypeError:
        key = _key(script)
        if (known := self._fresh(key)) is None:
            # One at a time, so that many first questions are one run. A lock for each: a
            # script that takes its time must not keep the others waiting.
            async with self._locks.setdefault(key, anyio.Lock()):
                if (known := self._fresh(key)) is None:
                    known = self._known[key] = await self._described(script)
        return known.found

    def _fresh(self, key: _Key) -> _Known | None:
        known = self._known.get(key)
        return known if known and known.until > self._clock.monotonic() else None

    async def _described(self, script: Script) -> _Known:
        try:
            return _Known(found=await describe(script, self._compiler, self._new_id))
        except NoJobType as error:
            log.info("%s; it is taken for a library", error)
            return _Known(found=error)
        except OverLimit as error:
            log.warning("job type %r is not offered: %s", script.name, error)
            return self._another_time(script, error)
        except JobTypeError as error:
            log.warning("job type %r is not offered: %s", script.name, error)
            return _Known(found=error)

    def _another_time(self, script: Script, error: OverLimit) -> _Known:
        before = self._known.get(_key(script))
        pause = min(before.pause * 2, LAST_CHANCE) if before else SECOND_CHANCE
        return _Known(found=error, until=self._clock.monotonic() + pause, pause=pause)


def _key(script: Script) -> _Key:
    return script.path, script.version


def _is_problem(found: ScriptJobType | JobTypeError) -> bool:
    """Libraries are no job types, and that is as it should be."""
    return isinstance(found, JobTypeError) and not isinstance(found, NoJobType)
