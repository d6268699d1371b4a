"""The plugin ``ffmpeg`` of the Manager."""

from __future__ import annotations

from flamenco_core import hookimpl
from flamenco_core.offers import Trial
from flamenco_ffmpeg.trial import TRIAL

__all__ = ["register_trials"]


@hookimpl
def register_trials() -> list[Trial]:
    """Offer a tiny video, to test workers with."""
    return [TRIAL]
