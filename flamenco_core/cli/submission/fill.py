"""Fill in a job type's settings: what was given, what Blender knows, the defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import attrs

from flamenco_core.cli.submission.values import absolute
from flamenco_core.errors import BadRequest
from flamenco_core.wire.job_types import AvailableJobSetting, AvailableJobType

__all__ = ["Ask", "Form"]

Ask = Callable[[list[tuple[str, str]], Mapping[str, Any]], dict[str, Any]]
"""Evaluates ``(key, expression)`` pairs, given the settings known so far."""

_OUTPUT_FOLDER = "renders"


@attrs.define(kw_only=True)
class Form:
    """The settings of one job while they are filled in."""

    job_type: AvailableJobType
    blend: Path
    job_name: str
    values: dict[str, Any]

    def fill(self, ask: Ask | None) -> dict[str, Any]:
        """Return all values, in the order of the job type.

        *ask* is None where there is no Blender. Raises `BadRequest` that names what is
        missing and how to give it.
        """
        self._known_here()
        open_ones = [(s.key, s.eval) for s in self._missing() if s.eval]
        if open_ones and ask is not None:
            self._take(ask(open_ones, dict(self.values)))
        self._without_blender()
        self._defaults()
        if missing := [s for s in self._missing() if s.required]:
            raise BadRequest(self._complaint(missing, asked=ask is not None))
        return {s.key: self.values[s.key] for s in self.job_type.settings if s.key in self.values}

    @property
    def wants_blender(self) -> bool:
        """Whether a setting is open that Blender would have to evaluate."""
        return any(s.eval for s in self._missing())

    def _known_here(self) -> None:
        for setting in self._missing():
            if setting.key == "blendfile" and setting.type == "string":
                self.values["blendfile"] = self.blend.as_posix()
            elif setting.key == "render_output_root" and setting.default in (None, ""):
                # Workers see the file's folder, so they see this one, too.
                root = self.blend.parent / _OUTPUT_FOLDER
                self.values["render_output_root"] = root.as_posix()
            elif not setting.eval and setting.default is not None:
                self.values[setting.key] = setting.default

    def _take(self, found: Mapping[str, Any]) -> None:
        kinds = {s.key: s for s in self.job_type.settings}
        for key, value in found.items():
            self.values[key] = _as_declared(kinds[key], value, self.blend.parent)

    def _without_blender(self) -> None:
        """Compute the one expression of the built-in job types that needs no Blender."""
        keys = {s.key for s in self._missing()}
        root = self.values.get("render_output_root")
        if "render_output_path" in keys and root:
            count = int(self.values.get("add_path_components", 0))
            last = self.blend.parent.parts[1:][-count:] if count > 0 else ()
            path = PurePosixPath(root, *last, self.job_name, "{timestamp}", "######")
            self.values["render_output_path"] = str(path)

    def _defaults(self) -> None:
        for setting in self._missing():
            if setting.default is not None:
                self.values[setting.key] = setting.default

    def _missing(self) -> list[AvailableJobSetting]:
        return [s for s in self.job_type.settings if s.key not in self.values]

    def _complaint(self, missing: list[AvailableJobSetting], *, asked: bool) -> str:
        keys = ", ".join(setting.key for setting in missing)
        cure = " ".join(f"--set {s.key}={s.type.upper()}" for s in missing)
        why = ""
        if not asked and any(s.eval for s in missing):
            why = "Blender, which could tell, is not on this machine; name it with --blender or "
        return f"job type {self.job_type.name!r} needs {keys}: {why}add {cure}"


def _as_declared(setting: AvailableJobSetting, value: Any, folder: Path) -> Any:
    match setting.type:
        case "int32":
            return int(value)
        case "float":
            return float(value)
        case "bool":
            return bool(value)
    text = str(value)
    return absolute(text, folder) if setting.subtype in ("file_path", "dir_path") else text
