"""A house rule with a setting that counts at once: nobody waits for a restart.

::

    plugins:
      long_jobs: {most_frames: 5000}
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs
from attrs import validators

from flamenco_core import Problem, Service, Submission, hookimpl
from flamenco_core.config import option
from flamenco_core.domain.frames import frame_count

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager


@attrs.frozen(kw_only=True)
class LongJobsSettings:
    """Section ``long_jobs`` below ``plugins``."""

    most_frames: int = option(
        1000, "Frames that a job may have without asking.", validator=validators.ge(1)
    )


class LongJobs:
    """Refuses long jobs; an object, because it keeps its settings."""

    def __init__(self) -> None:
        self.settings = LongJobsSettings()

    @hookimpl
    def register_services(self, host: Manager) -> Iterable[Service]:
        """Begin to follow the settings, which comes first; there are no services."""
        self.take(host.follow_settings("long_jobs", LongJobsSettings, self.take))
        return []

    def take(self, settings: LongJobsSettings) -> None:
        """Go by other settings from now on."""
        self.settings = settings

    @hookimpl
    def check_submission(self, job: Submission) -> list[Problem]:
        """Refuse jobs that are too long, in words that the artist reads in Blender."""
        try:
            count = frame_count(str(job.settings.get("frames", "1")))
        except ValueError:
            return []  # not ours to judge: the job type will say what is wrong
        most = self.settings.most_frames
        return [Problem(f"{count} frames are more than {most}; ask in #render")] * (count > most)


long_jobs = LongJobs()
