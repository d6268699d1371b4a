"""Settings of the plugin, section ``plugins.ffmpeg`` of a Worker's file."""

from __future__ import annotations

import attrs

__all__ = ["FFmpegSettings"]


@attrs.frozen(kw_only=True)
class FFmpegSettings:
    """What a Worker can be told about FFmpeg.

    ``exe`` is the FFmpeg to use for tasks that say only ``ffmpeg``. Empty means: look for
    one.
    """

    exe: str = ""
