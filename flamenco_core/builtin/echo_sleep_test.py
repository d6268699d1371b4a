"""The job type with which a farm is tried out: it echoes, then sleeps."""

from __future__ import annotations

import attrs

from flamenco_core.hookspecs import hookimpl
from flamenco_core.offers import Author, JobType, setting

__all__ = ["EchoSleepTest", "register_job_types"]


@attrs.frozen(kw_only=True)
class EchoSleepTest(JobType):
    """Try out the farm: echo a message, then sleep a few times."""

    name = "echo-sleep-test"
    label = "Echo Sleep Test"

    message: str
    sleep_duration_seconds: int = setting(1)
    sleep_repeats: int = setting(1)

    def author(self, author: Author) -> None:
        """Write one echo task, and the sleep tasks that wait for it."""
        echo = author.task("echo", "misc").command("echo", {"message": self.message})
        # Flamenco leaves defaults to the clients: who sends no number gets no sleep.
        repeats = self.sleep_repeats if "sleep_repeats" in author.settings else 0
        for _ in range(repeats):
            sleep = author.task("sleep", "misc").after(echo)
            sleep.command("sleep", {"duration_in_seconds": self.sleep_duration_seconds})


@hookimpl
def register_job_types() -> list[type[JobType]]:
    """Offer the one job type."""
    return [EchoSleepTest]
