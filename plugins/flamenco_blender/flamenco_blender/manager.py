"""The plugin ``blender`` of the Manager."""

from __future__ import annotations

from flamenco_blender.program import find_program
from flamenco_blender.simple_blender_render import SimpleBlenderRender
from flamenco_blender.single_image_render import SingleImageRender
from flamenco_blender.trial import TRIAL
from flamenco_core import JobType, hookimpl
from flamenco_core.offers import Trial

__all__ = ["find_program", "register_job_types", "register_trials"]


@hookimpl
def register_job_types() -> list[type[JobType]]:
    """Offer the two ways to render with Blender."""
    return [SimpleBlenderRender, SingleImageRender]


@hookimpl
def register_trials() -> list[Trial]:
    """Offer a tiny picture, to test workers with."""
    return [TRIAL]
