"""The plugin ``blender`` of the Manager."""

from __future__ import annotations

from flamenco_blender.program import find_program
from flamenco_blender.simple_blender_render import SimpleBlenderRender
from flamenco_blender.single_image_render import SingleImageRender
from flamenco_core import JobType, hookimpl

__all__ = ["find_program", "register_job_types"]


@hookimpl
def register_job_types() -> list[type[JobType]]:
    """Offer the two ways to render with Blender."""
    return [SimpleBlenderRender, SingleImageRender]
