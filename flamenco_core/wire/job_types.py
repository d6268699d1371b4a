"""Bodies of the ``jobs`` operations on job types."""

from __future__ import annotations

from typing import Any

import attrs

__all__ = ["AvailableJobSetting", "AvailableJobType", "AvailableJobTypes"]


@attrs.frozen(kw_only=True)
class AvailableJobSetting:
    """One setting of a job type."""

    key: str
    type: str
    subtype: str | None = None
    choices: list[str] | None = None
    propargs: dict[str, Any] | None = None
    description: Any = None
    label: Any = None
    default: Any = None
    eval: str | None = None
    evalInfo: dict[str, Any] | None = None
    visible: str | None = None
    required: bool | None = None
    editable: bool | None = None


@attrs.frozen(kw_only=True)
class AvailableJobType:
    """A job type that can be submitted; ``etag`` changes when the rest does."""

    name: str
    label: str
    settings: list[AvailableJobSetting]
    etag: str
    description: str | None = None


@attrs.frozen
class AvailableJobTypes:
    """All job types, by name."""

    job_types: list[AvailableJobType]
