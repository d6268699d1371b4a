"""Find Blender for those who ask by name: the command line, and the set-up of a farm."""

from __future__ import annotations

import os
from collections.abc import Sequence

from flamenco_blender.finder import ENVIRONMENT, BlenderFinder
from flamenco_core import FlamencoError, hookimpl

__all__ = ["find_program"]


@hookimpl
async def find_program(name: str, given: str) -> Sequence[str] | None:
    """Find Blender without the settings of a Worker."""
    if name != "blender":
        return None
    finder = BlenderFinder(exe=given)
    if blender := await finder.find():
        return blender.argv
    # One that was named but does not answer must not be passed over in silence.
    if given or os.environ.get(ENVIRONMENT):
        raise FlamencoError("; ".join(finder.complaints))
    return None
