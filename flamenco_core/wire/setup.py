"""Bodies of the operations that set up a Manager and show its settings."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import attrs

__all__ = [
    "BlenderPathCheckResult",
    "BlenderPathSource",
    "ConfigurationRehearsal",
    "ConfigurationState",
    "PathCheckInput",
    "PathCheckResult",
    "Setting",
    "SettingChange",
    "SettingsList",
    "SetupAssistantConfig",
]


class BlenderPathSource(StrEnum):
    """How a Blender was found."""

    FILE_ASSOCIATION = "file_association"
    PATH = "path_envvar"
    SYSTEM = "system_location"
    INPUT = "input_path"
    DEFAULT = "default"


@attrs.frozen
class PathCheckInput:
    """A path, or a command, to be checked."""

    path: str


@attrs.frozen(kw_only=True)
class PathCheckResult:
    """Whether a folder can be the shared storage; ``cause`` says so in words, always."""

    path: str
    is_usable: bool
    cause: str


@attrs.frozen(kw_only=True)
class BlenderPathCheckResult:
    """Whether a Blender answers; ``path`` is empty if there is none."""

    input: str
    path: str
    source: BlenderPathSource
    is_usable: bool
    cause: str


@attrs.frozen(kw_only=True)
class SetupAssistantConfig:
    """What a person has chosen; ``listen`` is ours: who may reach the farm from now on."""

    storageLocation: str
    blenderExecutable: BlenderPathCheckResult
    listen: str | None = None


@attrs.frozen(kw_only=True)
class Setting:
    """One setting; without ``value`` it is not set. Ours, not in Flamenco 3."""

    key: str
    source: str
    where: str
    acts: str
    help: str
    value: Any = None


@attrs.frozen
class SettingsList:
    """All settings, those of plugins too; ours, not in Flamenco 3."""

    settings: list[Setting]


@attrs.frozen(kw_only=True)
class ConfigurationState:
    """How it is with the settings file; ours, not in Flamenco 3.

    ``problem`` is what keeps the file from being in force; ``restart_needed`` are keys
    that wait for a restart, ``no_effect`` keys that were set but that nothing uses yet.
    """

    file: str
    problem: str
    restart_needed: list[str]
    no_effect: list[str]
    unknown: list[str]


@attrs.frozen(kw_only=True)
class SettingChange:
    """A setting that would be different; secrets are masked. A variable is a setting here."""

    key: str
    acts: str
    before: Any = None
    after: Any = None


@attrs.frozen(kw_only=True)
class ConfigurationRehearsal:
    """What writing some settings would do; ``unknown`` are those that nobody knows."""

    changes: list[SettingChange]
    unknown: list[str]
