"""Settings of the plugin, section ``plugins.blender`` of a Worker's file."""

from __future__ import annotations

import attrs

__all__ = ["BlenderSettings"]


@attrs.frozen(kw_only=True)
class BlenderSettings:
    """What a Worker can be told about Blender.

    ``exe`` is the Blender to use for tasks that say only ``blender``: a program, or the
    folder that it is in. Empty means: look for one.
    """

    exe: str = ""
