"""How much the Manager takes from anybody: section ``limits`` of the settings."""

from __future__ import annotations

from typing import Any

import attrs
from attrs import validators

from flamenco_core.config import Duration, option
from flamenco_core.domain.frames import MAX_FRAMES

__all__ = ["Limits"]


def _between(least: int, most: int) -> Any:
    return validators.and_(validators.ge(least), validators.le(most))


@attrs.frozen(kw_only=True)
class Limits:
    """How much and how long, before the Manager has had enough of a client."""

    header_timeout: Duration = option(
        Duration.parse("10s"), "How long the head of a request may take; 0 means for ever."
    )
    body_timeout: Duration = option(
        Duration.parse("30s"), "How long a JSON body may take; 0 means for ever."
    )
    stall_timeout: Duration = option(
        Duration.parse("1m"),
        "How long an upload, or a client that reads an answer, may make no progress;"
        " 0 means for ever.",
    )
    idle_timeout: Duration = option(
        Duration.parse("1m"),
        "How long a connection is kept for the next request.",
        validator=validators.gt(Duration()),
    )
    body_kilobytes: int = option(
        1024,
        "Kilobytes of the body of a request; those of a job and of an image have limits of"
        " their own.",
        validator=_between(16, 1024 * 1024),
    )
    job_body_megabytes: int = option(
        8, "Megabytes of a job that is submitted.", validator=_between(1, 1024)
    )
    image_megabytes: int = option(
        25, "Megabytes of an image that a Worker sends.", validator=_between(1, 128)
    )
    json_depth: int = option(
        64, "Levels of objects and lists in one another, in JSON.", validator=_between(8, 256)
    )
    json_keys: int = option(
        20_000, "Keys of all objects in a JSON body.", validator=validators.ge(1000)
    )
    json_values: int = option(
        200_000,
        "Values in all objects and lists in a JSON body. Many of them need much more memory"
        " than their text.",
        validator=validators.ge(1000),
    )
    json_text_kilobytes: int = option(
        64,
        "Kilobytes of one text in a JSON body, but for the settings of jobs and the output of"
        " programs.",
        validator=validators.ge(1),
    )
    tasks_per_job: int = option(
        100_000,
        "Tasks of one job; a plugin with job types may have a lower limit.",
        validator=validators.ge(1),
    )
    commands_per_task: int = option(
        50,
        "Commands of one task; a plugin with job types may have a lower limit.",
        validator=validators.ge(1),
    )
    frames_per_range: int = option(
        MAX_FRAMES, "Frames that one range of frames stands for.", validator=validators.ge(1)
    )
    connections: int = option(
        2000,
        "Connections at a time; fewer if the system does not let the Manager open so many.",
        validator=validators.ge(1),
    )
    connections_per_address: int = option(
        200,
        "Connections at a time from one address; 0 means no limit. This machine and"
        " `trusted_proxies` are not counted: they speak for many.",
        validator=validators.ge(0),
    )
    registrations_per_minute: int = option(
        30,
        "New Workers from one address; 0 means no limit. This machine's are not counted.",
        validator=validators.ge(0),
    )
    requests_per_minute: int = option(
        6000,
        "Requests of clients without an identity, from one address; 0 means no limit. This"
        " machine's are not counted.",
        validator=validators.ge(0),
    )
    worker_requests_per_minute: int = option(
        60_000, "Requests of one Worker; 0 means no limit.", validator=validators.ge(0)
    )
