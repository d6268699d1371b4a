"""Ask Blender what only Blender knows of a file."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from flamenco_core.cli.from_plugins import find_program
from flamenco_core.errors import FlamencoError

__all__ = ["evaluate", "find_blender"]

_MARK = "FLAMENCO-SETTINGS "
_PATIENCE = 300.0
"""Seconds to open a file; big ones on a slow network take minutes."""


def find_blender(given: str | None = None) -> list[str] | None:
    """Return the arguments that start Blender, or None if there is none here.

    Raises `FlamencoError` when the one that was given is not there or is none.
    """
    if given and not shutil.which(given):
        raise FlamencoError(f"there is no Blender at {given}; check --blender")
    return find_program("blender", given or "")


def evaluate(
    blender: Sequence[str],
    blend: Path,
    expressions: Sequence[tuple[str, str]],
    *,
    settings: Mapping[str, Any],
    job_name: str,
) -> dict[str, Any]:
    """Evaluate the expressions of settings in *blend*; return the values by key.

    Raises `FlamencoError` when Blender cannot be run, cannot read the file, or an
    expression fails; the message names the setting.
    """
    request = {
        "expressions": [list(pair) for pair in expressions],
        "settings": dict(settings),
        "jobname": job_name,
    }
    found = _run(_arguments(blender, blend, request), blend)
    if errors := found["errors"]:
        key, error = next(iter(errors.items()))
        raise FlamencoError(f"Blender cannot evaluate {key!r} ({error}); use --set {key}=VALUE")
    values: dict[str, Any] = found["values"]
    return values


def _arguments(
    blender: Sequence[str], blend: Path, request: Mapping[str, Any]
) -> list[str]:  # fmt: skip
    script = files(__package__).joinpath("in_blender.py").read_text("utf-8")
    text = json.dumps(request)
    script = script.replace("REQUEST: dict[str, Any] = {}", f"REQUEST = json.loads({text!r})")
    # The file's own scripts are not run: it is only looked at.
    options = ["--background", "--factory-startup", "--disable-autoexec", str(blend)]
    return [*blender, *options, "--python-exit-code", "3", "--python-expr", script]


def _run(arguments: list[str], blend: Path) -> dict[str, Any]:
    try:
        done = subprocess.run(
            arguments,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_PATIENCE,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise FlamencoError(f"cannot run Blender ({error}); name another with --blender") from error
    except subprocess.TimeoutExpired as error:
        raise FlamencoError(f"Blender did not open {blend} within {_PATIENCE:.0f} s") from error
    for line in done.stdout.splitlines():
        if line.startswith(_MARK):
            found: dict[str, Any] = json.loads(line.removeprefix(_MARK))
            return found
    last = [line for line in done.stdout.splitlines() if line.strip()][-3:]
    raise FlamencoError(
        f"Blender cannot read {blend} (exit code {done.returncode}): {' / '.join(last)}"
    )
