"""What a job type is: settings that a person fills in, and a way to make tasks of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import attrs

from flamenco_core.domain.frames import MAX_FRAMES

__all__ = [
    "AuthoredCommand",
    "AuthoredJob",
    "AuthoredTask",
    "FromFile",
    "JobTypeLike",
    "JobTypes",
    "Setting",
    "Submission",
    "TellsProblems",
]


@attrs.frozen(kw_only=True)
class Setting:
    """One setting of a job type; what is `None` is left out on the wire.

    ``eval`` is a Python expression that Blender evaluates. ``eval_info`` is the text
    beside its link button. ``propargs`` go to Blender's property as they are.
    """

    key: str
    type: Literal["string", "int32", "float", "bool"]
    subtype: Literal["file_path", "dir_path", "file_name", "hashed_file_path"] | None = None
    choices: tuple[str, ...] | None = None
    propargs: Mapping[str, Any] | None = None
    description: str | None = None
    label: str | None = None
    default: Any = None
    eval: str | None = None
    eval_info: Mapping[str, Any] | None = None
    visible: Literal["visible", "hidden", "submission", "web"] | None = None
    required: bool | None = None
    editable: bool | None = None


@attrs.frozen(kw_only=True)
class Submission:
    """A job as it was handed in, before it is compiled.

    Paths in ``settings`` and ``metadata`` already carry two-way variables. ``created`` is
    in microseconds since 1970, UTC.
    """

    job_id: str
    name: str
    type: str
    priority: int
    created: int
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    metadata: Mapping[str, str] = attrs.field(factory=dict)
    shaman_checkout_id: str = ""
    worker_tag: str = ""
    submitter_platform: str = ""
    most_frames: int = MAX_FRAMES
    """Frames that one range may stand for: the Manager's ``limits: frames_per_range``."""


@attrs.frozen
class AuthoredCommand:
    """One command of an authored task; ``steps`` is its total step count."""

    name: str
    parameters: Mapping[str, Any] = attrs.field(factory=dict)
    steps: int = 0


@attrs.frozen(kw_only=True)
class AuthoredTask:
    """One task. ``parents`` are positions (from 0) in the job's list of tasks."""

    name: str
    type: str
    commands: tuple[AuthoredCommand, ...] = ()
    parents: tuple[int, ...] = ()
    priority: int = 50
    id: str = ""

    @property
    def steps_total(self) -> int:
        """Steps of all commands; a command that counts none is one step."""
        return sum(max(1, command.steps) for command in self.commands)


@attrs.frozen(kw_only=True)
class AuthoredJob:
    """What a job type makes of a submission."""

    name: str
    priority: int
    settings: Mapping[str, Any]
    metadata: Mapping[str, str]
    tasks: tuple[AuthoredTask, ...]


@runtime_checkable
class JobTypeLike(Protocol):
    """What the Manager asks of every job type, whatever it is written in."""

    @property
    def name(self) -> str:
        """Name on the wire, in kebab-case: ``simple-blender-render``."""

    @property
    def label(self) -> str:
        """Name for people."""

    @property
    def description(self) -> str:
        """One sentence for people; may be empty."""

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What people fill in, in this order."""

    async def compile(self, submission: Submission) -> AuthoredJob:
        """Make tasks of a submission.

        Raises `JobTypeError` with a text for the person who submitted it.
        """


@runtime_checkable
class FromFile(Protocol):
    """A job type that knows where it was written; optional."""

    @property
    def source_file(self) -> Path | None:
        """The file, if it is one."""

    @property
    def source_hash(self) -> str:
        """SHA-256 of the file as it is in use, in hex; empty without a file."""


@runtime_checkable
class JobTypes(Protocol):
    """A changing set of job types, such as a folder of scripts; offered as one thing."""

    name: str

    async def all(self) -> Iterable[JobTypeLike]:
        """Return the job types that are usable now.

        The Manager asks about once a second, so it should be cheap while nothing changes.
        An object that is the same as before is taken for a job type that is the same.
        """

    async def get(self, name: str) -> JobTypeLike | None:
        """Return one job type, or `None` if it is not in this set.

        Raises `JobTypeError`, with file and line, when it is there but broken.
        """


@runtime_checkable
class TellsProblems(Protocol):
    """A set of job types that can say which of them are broken; optional."""

    def problems(self) -> Mapping[str, str]:
        """Return what is wrong, by job type, as of the last time that `all` looked."""
