"""What workers and people may do on a farm of chance, and how often."""

from __future__ import annotations

from hypothesis import strategies as st

from flamenco_core.domain.failures import FailureLimits
from flamenco_core.offers.job_type import AuthoredCommand, AuthoredTask

TYPES = ("blender", "Misc")
PRIORITIES = st.sampled_from([40, 50, 60])
# The lower, the more often the rare ways are taken.
LIMITS = st.sampled_from(
    [*[FailureLimits(workers_per_task=2, tasks_per_worker=2)] * 3, FailureLimits()]
)
picks = st.integers(0, 1_000)

SAID = ["completed", "completed", "completed", "failed", "failed"]
SAID += ["active", "steps", "queued", "canceled"]
# In turn, the same number again, an earlier message again, without a number, as Flamenco's
# own Worker does, in another's name.
HOW = ["new", "new", "new", "old", "again", "unnumbered", "stock", "stock", "other"]
STEPS = st.lists(
    st.tuples(picks, st.sampled_from([*["ask"] * 6, *SAID]), st.sampled_from(HOW)),
    min_size=4,
    max_size=12,
)
ASKED = [
    *(("job", word) for word in ("cancel-requested", "pause-requested", "paused")),
    *(("job", word) for word in ("requeueing", "requeueing", "queued")),
    *(("task", word) for word in ("queued", "queued", "queued", "canceled", "paused")),
    *(("worker", word) for word in ("awake", "asleep")),
    ("priority", ""),
    ("deletion", ""),
]
WISHES = st.sampled_from(["cancel-requested", "pause-requested", "pause-requested", "requeueing"])
STATUSES = ["awake", "awake", "asleep", "offline", "starting", "lost", "lost", "again", "again"]
STATUSES += ["off"]


def uuid(kind: int, number: int) -> str:
    return f"00000000-0000-4000-800{kind}-{number:012}"


@st.composite
def task_lists(draw: st.DrawFn) -> list[AuthoredTask]:
    tasks = []
    for place in range(draw(st.integers(0, 6))):
        parents = draw(st.sets(st.integers(0, place - 1), max_size=2)) if place else set()
        tasks.append(
            AuthoredTask(
                name=f"task {place}",
                type=draw(st.sampled_from(TYPES)),
                commands=(AuthoredCommand("echo", {}, steps=draw(st.integers(0, 3))),),
                priority=draw(PRIORITIES),
                parents=tuple(parents),
            )
        )
    return tasks
