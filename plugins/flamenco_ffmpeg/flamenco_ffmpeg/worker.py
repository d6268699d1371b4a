"""The plugin ``ffmpeg`` of the Worker."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flamenco_core import Command, FlamencoError, Problem, hookimpl
from flamenco_core.offers import Trial
from flamenco_ffmpeg.command import FramesToVideo
from flamenco_ffmpeg.finder import ENVIRONMENT, FFmpegFinder
from flamenco_ffmpeg.settings import FFmpegSettings
from flamenco_ffmpeg.trial import TRIAL

if TYPE_CHECKING:
    from flamenco_core.worker.host import Worker

__all__ = ["check_readiness", "find_program", "register_commands", "register_trials"]


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


@hookimpl
async def find_program(name: str, given: str) -> Sequence[str] | None:
    """Find FFmpeg for the command line, which has no settings."""
    if name != "ffmpeg":
        return None
    finder = FFmpegFinder(exe=given)
    if ffmpeg := await finder.find():
        return [ffmpeg.exe]
    if given or os.environ.get(ENVIRONMENT):
        raise FlamencoError("; ".join(finder.complaints))
    return None


@hookimpl
def register_trials() -> list[Trial]:
    """Offer a tiny video, to check this machine with."""
    return [TRIAL]


def _finder(worker: Worker) -> FFmpegFinder:
    return FFmpegFinder(exe=worker.settings_of("ffmpeg", FFmpegSettings).exe)
