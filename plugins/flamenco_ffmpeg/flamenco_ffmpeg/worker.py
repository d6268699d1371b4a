"""The plugin ``ffmpeg`` of the Worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flamenco_core import Command, Problem, hookimpl
from flamenco_ffmpeg.command import FramesToVideo
from flamenco_ffmpeg.finder import ENVIRONMENT, FFmpegFinder
from flamenco_ffmpeg.settings import FFmpegSettings

if TYPE_CHECKING:
    from flamenco_core.worker.host import Worker

__all__ = ["check_readiness", "register_commands"]


@hookimpl
def register_commands(worker: Worker) -> list[type[Command]]:
    """Offer ``frames-to-video``."""
    return [FramesToVideo.found_by(_finder(worker))]


@hookimpl
async def check_readiness(worker: Worker) -> list[Problem]:
    """Say that there is no FFmpeg, and how to get one."""
    finder = _finder(worker)
    if await finder.find():
        return []
    tried = "; ".join(finder.complaints) or f"not in the settings, {ENVIRONMENT} or PATH"
    cure = "install FFmpeg, set plugins.ffmpeg.exe in the Worker's settings"
    wheel = "or pip install 'flamenco-ffmpeg[bundled]'"
    return [Problem(f"no FFmpeg found ({tried}): {cure}, {wheel}", affects=("ffmpeg",))]


def _finder(worker: Worker) -> FFmpegFinder:
    return FFmpegFinder(exe=worker.settings_of("ffmpeg", FFmpegSettings).exe)
