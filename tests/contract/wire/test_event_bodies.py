"""Events, held against Flamenco's event schemas."""

from __future__ import annotations

from flamenco_core.domain.events import LastRenderedChanged
from flamenco_core.wire.events import event_body, event_name, subject_of
from flamenco_core.wire.images import JOB_IMAGES

JOB = "abcdef12-0000-4000-8000-000000000000"


def test_the_event_is_as_flamencos(reference) -> None:
    event = LastRenderedChanged(job_id=JOB, task_id="t")
    body = event_body(event)
    assert body == {
        "job_id": JOB,
        "thumbnail": {"base": f"/job-files/job-abcd/{JOB}", "suffixes": list(JOB_IMAGES)},
    }
    reference.validate_as("EventLastRenderedUpdate", body)
    assert event_name(event) == "last-rendered"
    assert subject_of(event) == (JOB, "t")
