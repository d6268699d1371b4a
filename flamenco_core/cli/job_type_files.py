"""The source files of job types: find, copy and check them."""

from __future__ import annotations

import inspect
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from flamenco_core.cli.from_plugins import find_job_type, local_job_types, say_nothing
from flamenco_core.errors import Conflict, JobTypeError
from flamenco_core.offers import JobType
from flamenco_core.offers.python_job_type import PythonJobType

__all__ = ["copy_sources", "problems_in", "sources"]

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def sources() -> dict[str, Path]:
    """Return the source files of the job types in Python that this machine has.

    Scripts are left out: they are files in a folder of the studio already.
    """
    say_nothing()
    found = ((kind.name, _source_of(kind)) for kind in local_job_types())
    return {name: path for name, path in found if path is not None}


def _source_of(kind: object) -> Path | None:
    file = inspect.getsourcefile(kind.cls) if isinstance(kind, PythonJobType) else None
    return Path(file) if file else None


def copy_sources(found: Mapping[str, Path], folder: Path, *, force: bool) -> list[Path]:
    """Copy source files to *folder*; return what was written.

    Raises `Conflict`, before anything is written, if a file is there already.
    """
    targets = {name: folder / f"{name.replace('-', '_')}{p.suffix}" for name, p in found.items()}
    there = [str(target) for target in targets.values() if target.exists()]
    if there and not force:
        raise Conflict(f"{', '.join(there)} is there already; --force writes over it")
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in targets.items():
        shutil.copyfile(found[name], target)
    return list(targets.values())


def problems_in(file: Path) -> list[str]:
    """Return what is wrong with a job type's file, in words for who wrote it."""
    if file.suffix != ".py":
        return _problems_for_plugins(file)
    try:
        module = _imported(file)
    # The border to somebody's file: whatever it raises is what is wrong with it.
    except Exception as error:
        line = _line_in(file, error)
        return [f"{line}{type(error).__name__}: {error}"]
    kinds = list(_job_types(module))
    if not kinds:
        return ["there is no job type in it; subclass flamenco_core.JobType"]
    return [f"{kind.__name__}: {text}" for kind in kinds for text in _problems_of(kind)] + [
        *_hook_problems(module)
    ]


def _problems_for_plugins(file: Path) -> list[str]:
    try:
        found = find_job_type(file)
    except JobTypeError as error:
        return [str(error)]
    if found is None:
        ending = file.suffix or "files without an ending"
        return [f"no plugin knows job types in {ending}; they are .py or .js files"]
    return []


def _imported(file: Path) -> ModuleType:
    spec = spec_from_file_location(f"_checked_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import {file}")
    module = module_from_spec(spec)
    # Type hints of a class are looked up in its module.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _line_in(file: Path, error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return ""
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"line {line}: " if line else ""


def _job_types(module: ModuleType) -> Iterator[type[JobType]]:
    for value in vars(module).values():
        if (
            isinstance(value, type)
            and issubclass(value, JobType)
            and value.__module__ == module.__name__
            and not inspect.isabstract(value)
        ):
            yield value


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
