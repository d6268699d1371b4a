"""Bodies of the ``meta`` operations, and errors."""

from __future__ import annotations

from enum import StrEnum

import attrs

from flamenco_core.domain.farm import FarmStatus

__all__ = [
    "Error",
    "FarmStatusReport",
    "FlamencoVersion",
    "Health",
    "ManagerConfiguration",
    "ManagerVariable",
    "ManagerVariableAudience",
    "PluginList",
    "PluginState",
    "SharedStorageLocation",
]


@attrs.frozen
class Error:
    """Every answer that is not a success; ``code`` repeats the HTTP status."""

    code: int
    message: str


@attrs.frozen
class Health:
    """That all is well; ours, not in Flamenco 3."""

    status: str


@attrs.frozen
class FarmStatusReport:
    """What the farm is doing."""

    status: FarmStatus


@attrs.frozen(kw_only=True)
class FlamencoVersion:
    """Who answers. The add-on compares ``shortversion`` with its own, byte for byte."""

    version: str
    shortversion: str
    name: str
    git: str


@attrs.frozen(kw_only=True)
class ManagerConfiguration:
    """What the web app needs to start."""

    storageLocation: str
    shamanEnabled: bool
    isFirstRun: bool


class ManagerVariableAudience(StrEnum):
    """Whom a variable is for."""

    WORKERS = "workers"
    USERS = "users"


@attrs.frozen
class ManagerVariable:
    """The value of a variable for one audience and platform."""

    value: str
    is_twoway: bool


@attrs.frozen(kw_only=True)
class SharedStorageLocation:
    """Where one audience on one platform finds the job storage."""

    location: str
    audience: ManagerVariableAudience
    platform: str
    shamanEnabled: bool


@attrs.frozen(kw_only=True)
class PluginState:
    """One plugin of the Manager; ours, not in Flamenco 3."""

    name: str
    origin: str
    state: str
    hooks: list[str]
    offers: list[str]
    version: str | None = None
    error: str | None = None


@attrs.frozen
class PluginList:
    """All plugins of the Manager; ours, not in Flamenco 3."""

    plugins: list[PluginState]
