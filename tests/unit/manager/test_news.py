from __future__ import annotations

import inspect

import attrs
import msgspec
import pytest

from flamenco_core.domain import events
from flamenco_core.domain.impossible import ImpossibleTasks
from flamenco_core.domain.statuses import JobStatus, TaskStatus, WorkerStatus
from flamenco_core.domain.trials import TrialStatus
from flamenco_core.manager.news import News, read_news, write_news

JOB = events.JobFacts(
    id="j",
    name="Käse \U0001f9c0 | \n",
    type="t",
    priority=50,
    status=JobStatus.ACTIVE,
    updated=2**60,
    steps_completed=1,
    steps_total=2,
    delete_requested_at=5,
)
TASK = events.TaskFacts(
    id="t",
    job_id="j",
    name="n",
    status=TaskStatus.SOFT_FAILED,
    activity="",
    updated=1,
    steps_completed=0,
    steps_total=1,
)
WORKER = events.WorkerFacts(
    id="w",
    name="w",
    status=WorkerStatus.AWAKE,
    updated=1,
    version="1",
    can_restart=True,
    status_requested=WorkerStatus.ASLEEP,
    is_lazy=True,
)
BLOCK = events.BlockFacts(worker_id="w", worker_name="w", task_type="t", reason="r", expires_at=9)
NOBODY = events.ImpossibleFacts(task_type="t", count=2, reason="r", done=ImpossibleTasks.UNBLOCK)
IMAGE = events.ImageFacts(id="i", job_id="j", task_id="t", frame=3, stored_at=1)
TOLD = [
    events.JobSubmitted(JOB),
    events.JobStatusChanged(job=JOB, previous_status=JobStatus.QUEUED, reason="r"),
    events.JobUpdated(attrs.evolve(JOB, delete_requested_at=None)),
    events.JobDeleted("j"),
    events.JobBlocklistChanged(job=JOB, added=(BLOCK,), removed=(BLOCK, BLOCK), reason="expired"),
    events.JobTasksImpossible(job=JOB, tasks=(NOBODY,)),
    events.TaskStatusChanged(task=TASK, previous_status=TaskStatus.ACTIVE),
    events.TaskProgressed(TASK),
    events.TaskLogged(task_id="t", job_id="j", text="\x1b[1m\x00"),
    events.WorkerRegistered(WORKER),
    events.WorkerStatusChanged(worker=WORKER, previous_status=WorkerStatus.ERROR, reason="r"),
    events.WorkerUpdated(WORKER),
    events.WorkerDeleted(attrs.evolve(WORKER, status_requested=None)),
    events.WorkerRemovalAnnounced(worker=WORKER, removal_at=2),
    events.WorkerSecretChanged(WORKER),
    events.WorkerTested(worker=WORKER, test_id="x", status=TrialStatus.PASSED),
    events.LastRenderedChanged(IMAGE),
    events.TagChanged(events.TagFacts(id="g", name="g")),
    events.TagDeleted("g"),
]


def test_all_kinds_of_events_arrive_as_they_were() -> None:
    assert read_news(write_news([News(events=TOLD)])).events == TOLD


def test_no_event_of_the_farm_was_left_out_here() -> None:
    kinds = {kind for _, kind in inspect.getmembers(events, inspect.isclass)}
    told = {type(event) for event in TOLD}
    farms = {
        kind
        for kind in kinds
        if issubclass(kind, events.Event)
        and not issubclass(kind, events.HostEvent)
        and attrs.fields(kind)
    }
    assert told == farms


def test_several_are_put_together_in_their_order() -> None:
    first = News(events=TOLD[:2], rings=[((0, "misc"), 2)], woken=["a"])
    second = News(events=TOLD[2:3], rings=[((7, "blender"), 1)], woken=["b"])
    together = News(
        events=TOLD[:3], rings=[((0, "misc"), 2), ((7, "blender"), 1)], woken=["a", "b"]
    )
    assert read_news(write_news([first, second])) == together


def test_events_of_another_version_are_left_out() -> None:
    text = msgspec.json.decode(write_news([News(events=TOLD[3:4], woken=["w"])]))
    text["events"] += [["JobDreamt", {"id": "j"}], ["JobSubmitted", {"job": 5}]]
    text["events"] += [["ManagerStopping", {}]]
    assert read_news(msgspec.json.encode(text)) == News(events=TOLD[3:4], rings=[], woken=["w"])


@pytest.mark.parametrize("text", [b"", b"x", b"{}", b"[]", b'{"events":1,"rings":[],"woken":[]}'])
def test_what_is_no_news_is_an_error(text: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError) as raised:
        read_news(text)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize(
    "news", [News(events=TOLD[:1]), News(rings=[((0, "m"), 1)]), News(woken=["w"])]
)
def test_what_tells_something_is_not_empty(news: News) -> None:
    assert not news.is_empty
    assert News().is_empty
