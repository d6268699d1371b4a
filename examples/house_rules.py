"""A studio's own rules: no package, no entry point, given to the Manager in code.

* Small previews (job names that end in ``preview``) go before everything else, but only
  on machines whose name begins with ``desk``.
* Nobody fills the farm with more than 1000 frames by accident.
* Whatever fails is counted, and ``/house/failures`` shows the count.
"""

from collections import Counter

from litestar import get

from flamenco_core import Problem, Submission, hookimpl
from flamenco_core.domain.events import Event, JobStatusChanged
from flamenco_core.domain.frames import frame_count
from flamenco_core.domain.scheduling import Candidate, WorkerAtWork
from flamenco_core.domain.statuses import JobStatus
from flamenco_core.offers import operation

MOST_FRAMES = 1000


class HouseRules:
    """An object, not a module, because it remembers something."""

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()

    @hookimpl
    def choose_task(
        self, worker: WorkerAtWork, candidates: tuple[Candidate, ...]
    ) -> Candidate | None:
        """Give previews to desks first; leave everything else to the farm's own order."""
        if not worker.name.startswith("desk"):
            return None
        return next((c for c in candidates if c.job_name.endswith("preview")), None)

    @hookimpl
    def check_submission(self, job: Submission) -> list[Problem]:
        """Refuse jobs that are too long, in words that the artist reads in Blender."""
        try:
            count = frame_count(str(job.settings.get("frames", "1")))
        except ValueError:
            return []  # not ours to judge: the job type will say what is wrong
        if count <= MOST_FRAMES:
            return []
        return [Problem(f"{count} frames are too many; ask in #render for more than {MOST_FRAMES}")]

    @hookimpl
    def on_event(self, event: Event) -> None:
        """Count failed jobs by their type."""
        if isinstance(event, JobStatusChanged) and event.job.status is JobStatus.FAILED:
            self.failures[event.job.type] += 1

    @hookimpl
    def register_routes(self):
        """Serve the count."""

        @get(
            "/house/failures",
            opt=operation("countFailures", dict[str, int]),
            sync_to_thread=False,
        )
        def failures() -> dict[str, int]:
            """Count the jobs that failed, by their type."""
            return dict(self.failures)

        return [failures]
