from __future__ import annotations

import attrs
import pytest

from flamenco_core.domain.retention import Aged, Rule, fate_of
from flamenco_core.domain.submitter import submitter_of

DAY = 86_400
JOB = Aged(status="completed", type="render", tag="film", updated=1_000_000)


@pytest.mark.parametrize(
    ("job", "rules", "expires", "reason"),
    [
        ({}, [], None, "no rule is about it"),
        ({}, [Rule(seconds=1)], 2_000_000, "rule 1"),
        ({}, [Rule(job_type="other", seconds=1), Rule(seconds=2)], 3_000_000, "rule 2"),
        ({}, [Rule(tag="film"), Rule(seconds=1)], None, "rule 1 keeps it"),
        ({"tag": ""}, [Rule(tag="film"), Rule(seconds=1)], 2_000_000, "rule 2"),
        ({}, [Rule(statuses=("failed",), seconds=1)], None, "no rule is about it"),
        ({}, [Rule(user="artist", seconds=1)], None, "no rule is about it"),
        ({"user": "Artist"}, [Rule(user=" artist", seconds=1)], 2_000_000, "rule 1"),
        (
            {"user": "artist"},
            [Rule(user="artist", tag="x"), Rule(user="artist")],
            None,
            "rule 2 keeps it",
        ),
        ({"status": "failed"}, [Rule(statuses=("failed",), seconds=1)], 2_000_000, "rule 1"),
        ({"keep": True}, [Rule(seconds=1)], None, "it is to be kept"),
        ({"keep": True, "seconds": 5}, [], None, "it is to be kept"),
        ({"seconds": 5}, [Rule(seconds=1)], 6_000_000, "its own time"),
        ({"seconds": 0}, [Rule()], 1_000_000, "its own time"),
        ({"status": "active", "seconds": 0}, [Rule(seconds=0)], None, "it is not finished"),
        ({"status": "paused"}, [Rule(seconds=0)], None, "it is not finished"),
    ],
)
def test_what_is_said_of_a_job_wins_then_the_first_rule_that_fits(
    job, rules, expires, reason
) -> None:
    fate = fate_of(attrs.evolve(JOB, **job), rules)
    assert (fate.expires, fate.reason) == (expires, reason)


@pytest.mark.parametrize("status", ["queued", "active", "paused", "pause-requested", "requeueing"])
def test_no_unfinished_job_ever_goes_by_itself(status) -> None:
    assert fate_of(attrs.evolve(JOB, status=status), [Rule(seconds=0)]).expires is None


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ({}, ""),
        ({"user.name": " artist "}, "artist"),
        ({"user": "bo"}, "bo"),
        ({"user": "bo", "user.name": "artist"}, "artist"),
        ({"user.name": 3, "user": ""}, ""),
        ({"User": "artist"}, ""),
    ],
)
def test_who_submitted_a_job_is_in_its_metadata(metadata, name) -> None:
    assert submitter_of(metadata) == name
