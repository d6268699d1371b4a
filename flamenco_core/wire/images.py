"""Where the newest images of jobs and tasks are, as clients are told."""

from __future__ import annotations

import attrs

__all__ = [
    "JOB_IMAGES",
    "JobLastRenderedImageInfo",
    "TaskLastRenderedImageInfo",
    "image_base",
    "images_of_job",
    "task_images",
]

JOB_IMAGES = ("last-rendered.jpg", "last-rendered-small.jpg", "last-rendered-tiny.jpg")
"""Files of a job, from large to tiny; Flamenco's web app looks for these very words."""


@attrs.frozen
class JobLastRenderedImageInfo:
    """Addresses of a job's newest image: ``base``, a slash, and each of ``suffixes``."""

    base: str
    suffixes: list[str]


@attrs.frozen(kw_only=True)
class TaskLastRenderedImageInfo:
    """Addresses of a task's newest image, and when it came.; ours, not Flamenco's."""

    base: str
    suffixes: list[str]
    updated: str


def image_base(job: str) -> str:
    """Return the path that the addresses of a job's files begin with."""
    return f"/job-files/job-{job[:4]}/{job}"


def images_of_job(job: str, root: str = "") -> JobLastRenderedImageInfo:
    """Return where a job's images are; *root* is where the Manager itself is."""
    return JobLastRenderedImageInfo(root + image_base(job), list(JOB_IMAGES))


def task_images(task: str) -> tuple[str, str]:
    """Return the names of a task's files, small and tiny."""
    name = f"task-{task}-last-rendered"
    return f"{name}-small.jpg", f"{name}-tiny.jpg"
