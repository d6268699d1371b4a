"""Bodies of the ``jobs`` operations on job types."""

from __future__ import annotations

from typing import Any, Literal

import attrs

__all__ = [
    "AvailableJobSetting",
    "AvailableJobType",
    "AvailableJobTypes",
    "EvalInfo",
    "JobTypeProblem",
    "JobTypeSource",
    "JobTypesState",
]


@attrs.frozen
class EvalInfo:
    """What stands beside the setting's link button; clients expect both keys."""

    showLinkButton: bool = False
    description: str = ""


@attrs.frozen(kw_only=True)
class AvailableJobSetting:
    """One setting of a job type."""

    key: str
    type: Literal["string", "int32", "float", "bool"]
    subtype: Literal["file_path", "dir_path", "file_name", "hashed_file_path"] | None = None
    choices: list[str] | None = None
    propargs: dict[str, Any] | None = None
    description: Any = None
    label: Any = None
    default: Any = None
    eval: str | None = None
    evalInfo: EvalInfo | None = None
    visible: Literal["visible", "hidden", "submission", "web"] | None = None
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


@attrs.frozen(kw_only=True)
class JobTypeSource:
    """Where a job type comes from; ours, not in Flamenco 3.

    ``source_hash`` is the SHA-256 of its file; both are empty if it has none.
    """

    name: str
    etag: str
    source: str = ""
    source_hash: str = ""


@attrs.frozen
class JobTypeProblem:
    """What is wrong with a job type that is not offered, with file and line if known."""

    name: str
    message: str


@attrs.frozen
class JobTypesState:
    """What is behind the list of job types: their sources, and what is broken."""

    job_types: list[JobTypeSource]
    problems: list[JobTypeProblem]
