"""Runs inside Blender: evaluates expressions of settings, prints one line of JSON.

This file is sent to Blender as text, with the request in ``REQUEST``; it imports nothing
of ours. The names that an expression may use are those of Flamenco's add-on: ``bpy``,
``C``, ``jobname``, ``settings``, ``Path``, ``abspath`` and ``last_n_dir_parts``.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy  # type: ignore[import-untyped,import-not-found,unused-ignore]

REQUEST: dict[str, Any] = {}  # replaced by the sender


def abspath(path: object) -> Path:
    """Resolve Blender's ``//`` prefix."""
    return Path(bpy.path.abspath(str(path)))


def last_n_dir_parts(n: int, file_path: object = None) -> Path:
    """Return the last *n* folders above a file, by default the Blender file."""
    folder = Path(bpy.path.abspath(str(file_path or bpy.data.filepath))).parent
    parts = folder.parts[1:] if folder.anchor else folder.parts
    return Path(*parts[-n:]) if n > 0 else Path()


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Evaluate in the order of the settings: later ones may use earlier ones."""
    settings = SimpleNamespace(**request["settings"])
    names = {
        "bpy": bpy,
        "C": bpy.context,
        "jobname": request["jobname"],
        "settings": settings,
        "Path": Path,
        "abspath": abspath,
        "last_n_dir_parts": last_n_dir_parts,
    }
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for key, expression in request["expressions"]:
        try:
            # As the add-on does: the expressions are those of the studio's own Manager.
            value = eval(expression, dict(names))  # noqa: S307
        except Exception as error:  # whatever it is, the person who submits must see it
            errors[key] = f"{type(error).__name__}: {error}"
            continue
        values[key] = value if isinstance(value, (bool, int, float)) else str(value)
        setattr(settings, key, values[key])
    return {"values": values, "errors": errors}


print("\nFLAMENCO-SETTINGS " + json.dumps(answer(REQUEST)), flush=True)  # noqa: T201
