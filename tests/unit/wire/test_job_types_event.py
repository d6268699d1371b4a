"""The event by which live clients hear of other job types."""

from __future__ import annotations

from flamenco_core.domain.events import JobTypesChanged
from flamenco_core.wire.events import event_body, event_name, subject_of


def test_changed_job_types_are_told_with_their_problems() -> None:
    event = JobTypesChanged(
        added=("a",), changed=("b",), removed=("c",), problems=(("c", "nothing (c.js:1:2)"),)
    )
    assert event_name(event) == "jobtype"
    assert subject_of(event) == ("", "")
    assert event_body(event) == {
        "added": ["a"],
        "changed": ["b"],
        "removed": ["c"],
        "problems": [{"name": "c", "message": "nothing (c.js:1:2)"}],
    }
