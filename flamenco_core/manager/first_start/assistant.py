"""From what a person chose in the set-up assistant to settings."""

from __future__ import annotations

from typing import Any

from flamenco_core.errors import BadRequest
from flamenco_core.manager.settings import ManagerSettings
from flamenco_core.manager.wanted import as_file
from flamenco_core.wire.setup import (
    BlenderPathCheckResult,
    BlenderPathSource,
    SetupAssistantConfig,
)

__all__ = ["chosen_settings"]

PLATFORMS = ("linux", "windows", "darwin")


def chosen_settings(body: SetupAssistantConfig, settings: ManagerSettings) -> dict[str, Any]:
    """Return the settings that were chosen, as they could stand in the file.

    Raises `BadRequest` for what is incomplete.
    """
    storage = body.storageLocation.strip()
    if not storage:
        raise _incomplete("storageLocation is empty; choose the shared folder")
    command = _command(body.blenderExecutable)
    variables = as_file(settings)["variables"]
    variables["blender"] = {
        **variables.get("blender", {}),
        "values": [{"platform": platform, "value": command} for platform in PLATFORMS],
    }
    variables["blenderArgs"] = {"values": [{"platform": "all", "value": "-b -y"}]}
    chosen = {"shared_storage_path": storage, "variables": variables}
    return chosen | ({"listen": body.listen} if body.listen else {})


def _command(chosen: BlenderPathCheckResult) -> str:
    if not chosen.is_usable:
        raise _incomplete("blenderExecutable is not usable; choose another one, or skip it")
    source = chosen.source
    if source is BlenderPathSource.DEFAULT:
        return "blender"
    if source is BlenderPathSource.FILE_ASSOCIATION:
        _required(chosen.path, "path", source)
        return "blender"
    if source is BlenderPathSource.PATH:
        # What was found without being asked for has no input; its path does as well.
        return _required(chosen.input or chosen.path, "input", source)
    return _required(chosen.path or chosen.input, "path", source)


def _required(text: str, key: str, source: BlenderPathSource) -> str:
    if not text.strip():
        raise _incomplete(f"blenderExecutable.{key} is empty, which {source} needs")
    return text.strip()


def _incomplete(what: str) -> BadRequest:
    return BadRequest(f"configuration is incomplete: {what}")
