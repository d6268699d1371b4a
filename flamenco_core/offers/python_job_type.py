"""Job types written in Python: an attrs class whose fields are the settings."""

from __future__ import annotations

import hashlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, get_type_hints

import attrs

from flamenco_core.clock import new_id
from flamenco_core.errors import JobTypeError
from flamenco_core.offers.job_type import (
    AuthoredCommand,
    AuthoredJob,
    AuthoredTask,
    Setting,
    Submission,
)

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["Author", "JobType", "TaskDraft", "setting"]

_WIRE_TYPES: dict[Any, Any] = {str: "string", int: "int32", float: "float", bool: "bool"}
_EXTRA = "flamenco.setting"


def _number(value: Any, _: type) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a number, not {value!r}")
    return value


def _strictly(kind: type) -> Any:
    def structure(value: Any, _: type) -> Any:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ValueError(f"expected {kind.__name__}, not {value!r}")
        return value

    return structure


@cache
def _converter() -> Converter:
    # Imported here: whoever only wants to write a Command need not wait for it.
    from cattrs import Converter

    converter = Converter()
    # A setting of the wrong type is the artist's mistake to hear about, not to be guessed at.
    converter.register_structure_hook(float, _number)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _strictly(kind))
    return converter


def setting(default: Any = attrs.NOTHING, **extra: Any) -> Any:
    """Declare a setting: a default, and any of `Setting`'s other fields.

    Without a default it is required.
    """
    return attrs.field(default=default, metadata={_EXTRA: extra})


class TaskDraft:
    """A task while it is being authored."""

    def __init__(self, index: int, name: str, type: str, priority: int) -> None:
        self.index = index
        self.id = new_id()
        self.name = name
        self.type = type
        self.priority = priority
        self._commands: list[AuthoredCommand] = []
        self._parents: list[int] = []

    def command(self, name: str, parameters: Mapping[str, Any], *, steps: int = 0) -> TaskDraft:
        """Add a command to run; *steps* is how many steps it will report."""
        self._commands.append(AuthoredCommand(name, dict(parameters), steps))
        return self

    def after(self, *parents: TaskDraft) -> TaskDraft:
        """Wait for *parents* to be completed."""
        self._parents += [p.index for p in parents if p.index not in self._parents]
        return self

    def finished(self) -> AuthoredTask:
        """Return what was authored."""
        return AuthoredTask(
            id=self.id,
            name=self.name,
            type=self.type,
            priority=self.priority,
            commands=tuple(self._commands),
            parents=tuple(self._parents),
        )


class Author:
    """Writes down the tasks of one job.

    ``job`` is the submission; ``settings`` and ``metadata`` may be changed and are kept.
    """

    def __init__(self, job: Submission) -> None:
        self.job = job
        self.settings = dict(job.settings)
        self.metadata = dict(job.metadata)
        self.tasks: list[TaskDraft] = []

    def task(self, name: str, type: str, *, priority: int = 50) -> TaskDraft:
        """Add a task; tasks of one priority run in the order in which they are added."""
        if not (name := name.strip()):
            raise JobTypeError("a task needs a name")
        if not (type := type.strip()):
            raise JobTypeError(f"task {name!r} needs a type, such as 'misc'")
        draft = TaskDraft(len(self.tasks), name, type, priority)
        self.tasks.append(draft)
        return draft

    def finished(self) -> AuthoredJob:
        """Return what was authored."""
        return AuthoredJob(
            name=self.job.name,
            priority=self.job.priority,
            settings=self.settings,
            metadata=self.metadata,
            tasks=tuple(draft.finished() for draft in self.tasks),
        )


class JobType(ABC):
    """A job type *is* its settings: subclass it as a frozen attrs class.

    The class docstring's first line is the description; fields made with `setting` are
    what people fill in; `author` writes the tasks. It is called for each submission, must
    not do I/O, and raises `JobTypeError` to refuse one.
    """

    name: ClassVar[str]
    label: ClassVar[str]

    @abstractmethod
    def author(self, author: Author) -> None:
        """Write the job's tasks with *author*."""

    @classmethod
    def offered(cls) -> PythonJobType:
        """Return the job type in the form that the Manager uses."""
        return PythonJobType(cls)


@attrs.frozen
class PythonJobType:
    """Shows a `JobType` class as a `JobTypeLike`."""

    cls: type[JobType]

    @property
    def name(self) -> str:
        """Name on the wire."""
        return self.cls.name

    @property
    def label(self) -> str:
        """Name for people."""
        return self.cls.label

    @property
    def description(self) -> str:
        """First line of the class docstring."""
        return (self.cls.__doc__ or "").strip().partition("\n")[0]

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The class's fields."""
        hints = get_type_hints(self.cls)
        return tuple(_setting_of(field, hints[field.name]) for field in _fields(self.cls))

    @property
    def source_file(self) -> Path | None:
        """The module that the class is in."""
        return _source_of(self.cls)[0]

    @property
    def source_hash(self) -> str:
        """SHA-256 of that file when it was first asked for: what was imported."""
        return _source_of(self.cls)[1]

    async def compile(self, submission: Submission) -> AuthoredJob:
        """Build the settings, then let the class author its tasks, beside the event loop."""
        from anyio.to_thread import run_sync

        return await run_sync(self._compile, submission)

    def _compile(self, submission: Submission) -> AuthoredJob:
        from cattrs import transform_error
        from cattrs.errors import BaseValidationError

        known = {field.name for field in _fields(self.cls)}
        given = {key: value for key, value in submission.settings.items() if key in known}
        try:
            job_type = _converter().structure(given, self.cls)
        except BaseValidationError as error:
            problems = "; ".join(transform_error(error, path="settings"))
            raise JobTypeError(f"{self.name}: {problems}") from error
        author = Author(submission)
        job_type.author(author)
        return author.finished()


@cache
def _source_of(cls: type) -> tuple[Path | None, str]:
    try:
        path = Path(inspect.getsourcefile(cls) or "")
        return path, hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, TypeError):  # made in a console, or out of an archive
        return None, ""


def _fields(cls: Any) -> tuple[attrs.Attribute[Any], ...]:
    return attrs.fields(cls)  # type: ignore[no-any-return]


def _setting_of(field: attrs.Attribute[Any], hint: Any) -> Setting:
    extra = dict(field.metadata.get(_EXTRA, {}))
    if field.default is not attrs.NOTHING:
        extra.setdefault("default", field.default)
    else:
        extra.setdefault("required", True)
    return Setting(key=field.name, type=_WIRE_TYPES[hint], **extra)
