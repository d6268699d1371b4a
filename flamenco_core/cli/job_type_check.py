"""What is wrong with the file of a job type, and in which line."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs

from flamenco_core.cli.from_plugins import find_job_type
from flamenco_core.errors import JobTypeError
from flamenco_core.offers.python_files import classes_in, imported

__all__ = ["FileProblem", "problems_in"]

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Where plugins put the place in their own texts: ``nothing (a.js:2:5)``, ``a.js:2: nothing``.
_BEHIND = re.compile(r"(?P<text>.*) \((?P<file>[^()]+):(?P<line>\d+):(?P<column>\d+)\)", re.DOTALL)
_BEFORE = re.compile(
    r"(?P<file>[^:\n]+)(:(?P<line>\d+))?(:(?P<column>\d+))?: (?P<text>.*)", re.DOTALL
)


@attrs.frozen
class FileProblem:
    """Something that is wrong with a file; line and column from 1, 0 if not known."""

    file: str
    message: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Write it as editors and terminals understand it: ``FILE:LINE:COLUMN: TEXT``."""
        place = [self.file, *(str(number) for number in (self.line, self.column) if number)]
        return f"{':'.join(place)}: {self.message}"


def problems_in(file: Path) -> list[FileProblem]:
    """Return what is wrong with a job type's file, in words for who wrote it."""
    return list(_in_python(file) if file.suffix == ".py" else _for_plugins(file))


def _in_python(file: Path) -> Iterator[FileProblem]:
    try:
        module = imported(file)
    # The border to somebody's file: whatever it raises is what is wrong with it.
    except (Exception, SystemExit) as error:
        yield _raised(file, error)
        return
    kinds = classes_in(module)
    if not kinds:
        yield FileProblem(str(file), "there is no job type in it; subclass flamenco_core.JobType")
        return
    for kind in kinds:
        line = inspect.getsourcelines(kind)[1]
        for text in _problems_of(kind):
            yield FileProblem(str(file), f"{kind.__name__}: {text}", line)
    yield from (FileProblem(str(file), text) for text in _hook_problems(module))


def _raised(file: Path, error: BaseException) -> FileProblem:
    if isinstance(error, SyntaxError):
        column = error.offset or 0
        return FileProblem(str(file), f"SyntaxError: {error.msg}", error.lineno or 0, column)
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    return FileProblem(str(file), f"{type(error).__name__}: {error}", line)


def _for_plugins(file: Path) -> Iterator[FileProblem]:
    try:
        found = find_job_type(file)
    except JobTypeError as error:
        yield _placed(file, str(error))
        return
    if found is None:
        ending = file.suffix or "files without an ending"
        text = f"no plugin knows job types in {ending}; they are .py or .js files"
        yield FileProblem(str(file), text)


def _placed(file: Path, text: str) -> FileProblem:
    """Take the place out of a plugin's text; a file beside this one is kept in it."""
    found = _BEHIND.fullmatch(text) or _BEFORE.fullmatch(text)
    if found is None or found["file"] != file.name:
        return FileProblem(str(file), text)
    return FileProblem(str(file), found["text"], int(found["line"] or 0), int(found["column"] or 0))


def _problems_of(kind: Any) -> Iterator[str]:
    name = getattr(kind, "name", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield f"'name' must be a text like 'my-job-type', not {name!r}"
    if not isinstance(getattr(kind, "label", None), str):
        yield "'label', the name for people, is missing"
    if "__attrs_attrs__" not in vars(kind):
        yield "it is no attrs class; write @attrs.frozen above it"
        return
    try:
        kind.offered().settings  # noqa: B018 (computed by looking)
    except KeyError as error:
        yield f"a setting must be str, int, float or bool, not {error}"
    except (TypeError, NameError) as error:
        yield f"its settings cannot be read: {error}"


def _hook_problems(module: ModuleType) -> Iterator[str]:
    if not hasattr(getattr(module, "register_job_types", None), "flamenco_impl"):
        yield "nothing offers it; add a function register_job_types with @hookimpl"
