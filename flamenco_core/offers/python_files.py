"""Job types in a file of Python that is no installed module."""

from __future__ import annotations

import inspect
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from flamenco_core.offers.python_job_type import JobType

__all__ = ["classes_in", "imported"]


def imported(file: Path) -> ModuleType:
    """Run a file as a module of its own; raises whatever the file raises."""
    spec = spec_from_file_location(f"_job_types_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import {file}")
    module = module_from_spec(spec)
    # Type hints of a class are looked up in its module.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def classes_in(module: ModuleType) -> list[type[JobType]]:
    """Return the job types that a module defines, as they stand in it."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, JobType)
        and value.__module__ == module.__name__
        and not inspect.isabstract(value)
    ]
