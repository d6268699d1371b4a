"""Where rendered images are, as clients are told."""

from __future__ import annotations

import attrs

from flamenco_core.clock import rfc3339
from flamenco_core.domain.events import ImageFacts
from flamenco_core.wire.schema import Time

__all__ = [
    "JOB_IMAGES",
    "ImageHistory",
    "JobLastRenderedImageInfo",
    "image_info",
    "image_names",
    "job_image_info",
]

JOB_IMAGES = ("last-rendered.jpg", "last-rendered-small.jpg", "last-rendered-tiny.jpg")
"""Files of a job, from large to tiny; Flamenco's web app looks for these very words."""


@attrs.frozen(kw_only=True)
class JobLastRenderedImageInfo:
    """Addresses of an image: ``base``, a slash, and each of ``suffixes``.

    Of which task it is, when it came and of which frame it is, is ours.
    """

    base: str
    suffixes: list[str]
    task_id: str
    updated: Time
    frame: int | None = None


@attrs.frozen
class ImageHistory:
    """The last images of a job, the newest first; their addresses last."""

    images: list[JobLastRenderedImageInfo]


def job_image_info(facts: ImageFacts, root: str = "") -> JobLastRenderedImageInfo:
    """Return where the newest image of a job is; *root* is where the Manager itself is."""
    return _info(facts, root, JOB_IMAGES)


def image_info(facts: ImageFacts, root: str = "") -> JobLastRenderedImageInfo:
    """Return where this very image is, whatever comes after it."""
    return _info(facts, root, image_names(facts.id))


def image_names(image: str) -> tuple[str, str]:
    """Return the names of an image's own files, small and tiny."""
    return f"image-{image}-small.jpg", f"image-{image}-tiny.jpg"


def _info(facts: ImageFacts, root: str, names: tuple[str, ...]) -> JobLastRenderedImageInfo:
    return JobLastRenderedImageInfo(
        base=f"{root}/job-files/job-{facts.job_id[:4]}/{facts.job_id}",
        suffixes=list(names),
        task_id=facts.task_id,
        updated=rfc3339(facts.stored_at),
        frame=facts.frame,
    )
