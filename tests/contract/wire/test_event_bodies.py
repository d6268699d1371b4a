"""Events as Flamenco's document has them."""

from __future__ import annotations

import pytest

from flamenco_core.domain.events import ImageFacts, JobEvent, LastRenderedChanged
from flamenco_core.wire.events import event_body, event_name, subject_of
from flamenco_core.wire.images import JOB_IMAGES

JOB = "abcdef12-0000-4000-8000-000000000000"


@pytest.mark.parametrize(("frame", "told"), [(None, {}), (0, {"frame": 0}), (-7, {"frame": -7})])
def test_the_event_is_as_flamencos(reference, frame, told) -> None:
    facts = ImageFacts(id="i", job_id=JOB, task_id="t", frame=frame, stored_at=0)
    event = LastRenderedChanged(facts)
    body = event_body(event)
    assert body == {
        "job_id": JOB,
        "thumbnail": {
            "base": f"/job-files/job-abcd/{JOB}",
            "suffixes": list(JOB_IMAGES),
            "task_id": "t",
            "updated": "1970-01-01T00:00:00.000000Z",
            **told,
        },
    }
    reference.validate_as("EventLastRenderedUpdate", body)
    assert event_name(event) == "last-rendered"
    assert subject_of(event) == (JOB, "t")


def test_an_event_without_a_body_is_not_told_as_another() -> None:
    with pytest.raises(TypeError, match="JobEvent has no body"):
        event_body(JobEvent())
