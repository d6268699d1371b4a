from __future__ import annotations

import json

import pytest

from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.errors import BadRequest
from flamenco_core.wire.converter import decode, encode
from flamenco_core.wire.fit import DEEPEST
from flamenco_core.wire.jobs import JobPriorityChange, SubmittedJob
from flamenco_core.wire.worker import TaskUpdate


def job(**rest: object) -> bytes:
    return json.dumps({"name": "n", "type": "t", "submitter_platform": "linux", **rest}).encode()


@pytest.mark.parametrize("number", ["50.0", "true", '"50"', "null", "1e2", str(2**63), "[1]"])
def test_a_whole_number_is_nothing_else(number: str) -> None:
    with pytest.raises(BadRequest, match="priority"):
        decode(b'{"priority": %b}' % number.encode(), JobPriorityChange)


@pytest.mark.parametrize("number", [0, -1, 2**63 - 1, -(2**63)])
def test_whole_numbers(number: int) -> None:
    assert decode(b'{"priority": %d}' % number, JobPriorityChange).priority == number


def test_what_is_none_is_left_out_and_zero_is_not() -> None:
    body = TaskUpdate(taskStatus=TaskStatus.ACTIVE, steps_completed=0)
    assert encode(body) == b'{"taskStatus":"active","steps_completed":0}'


def test_unknown_keys_are_ignored() -> None:
    assert decode(job(unknown=[1]), SubmittedJob).name == "n"


def test_all_that_is_wrong_is_named() -> None:
    with pytest.raises(BadRequest) as caught:
        decode(b'{"name": 5, "metadata": {"a": null}}', SubmittedJob)
    for word in ("name", "metadata", "type", "submitter_platform"):
        assert word in str(caught.value)


@pytest.mark.parametrize("nested", [DEEPEST - 2, 40])
def test_nesting_up_to_the_limit(nested: int) -> None:
    settings: object = 1
    for _ in range(nested):
        settings = {"a": settings}
    assert decode(job(settings=settings), SubmittedJob).settings == settings


@pytest.mark.parametrize("nested", [DEEPEST, 150])
def test_nesting_beyond_it(nested: int) -> None:
    settings: object = 1
    for _ in range(nested):
        settings = {"a": [settings]}
    with pytest.raises(BadRequest, match="too deep"):
        decode(job(settings=settings), SubmittedJob)


def test_many_brackets_are_not_deep() -> None:
    settings = {"a": [[] for _ in range(1000)], "b": "{" * 1000}
    assert decode(job(settings=settings), SubmittedJob).settings == settings


@pytest.mark.parametrize("settings", [{"a": "\0"}, {"\0": 1}, {"a": [{"b": ["x\0y"]}]}])
def test_nul_characters_are_refused(settings: object) -> None:
    with pytest.raises(BadRequest, match="NUL"):
        decode(job(settings=settings), SubmittedJob)
