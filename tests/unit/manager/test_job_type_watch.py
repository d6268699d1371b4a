"""Job types in memory: as new as the last look, and never older than a refusal."""

from __future__ import annotations

import logging
from typing import Any

import attrs
import pytest

from flamenco_core.domain.events import Event, JobTypesChanged
from flamenco_core.errors import Busy, JobTypeError, OutdatedJobType, UnknownJobType
from flamenco_core.manager.job_type_history import JOB_TYPES, VERSIONS, JobTypeHistory
from flamenco_core.manager.job_type_watch import JobTypeWatch
from flamenco_core.manager.job_types import JobTypeCatalog
from flamenco_core.offers import AuthoredJob, Setting, Submission
from flamenco_core.wire.describe import available_job_type

PLAIN = "rejecting job because its settings are outdated, refresh the job type"


@attrs.frozen(kw_only=True)
class PaperJobType:
    """A job type that is only looked at."""

    name: str
    label: str = "Paper"
    description: str = ""
    settings: Any = ()
    source_hash: str = ""

    async def compile(self, submission: Submission) -> AuthoredJob:
        raise NotImplementedError("it is only described")


def paper(name: str = "a", *settings: Setting, **rest: Any) -> PaperJobType:
    return PaperJobType(name=name, settings=settings, **rest)


class Shelf:
    """A set of job types that a test fills; `broken` ones are there but cannot be used."""

    name = "shelf"

    def __init__(self, *job_types: PaperJobType) -> None:
        self.broken: dict[str, str] = {}
        self.error: Exception | None = None
        self.looks = 0
        self.fill(*job_types)

    def fill(self, *job_types: PaperJobType) -> None:
        self.found = {job_type.name: job_type for job_type in job_types}

    async def all(self) -> list[PaperJobType]:
        self.looks += 1
        if self.error:
            raise self.error
        return list(self.found.values())

    async def get(self, name: str) -> PaperJobType | None:
        if name in self.broken:
            raise JobTypeError(self.broken[name])
        return self.found.get(name)

    def problems(self) -> dict[str, str]:
        return self.broken


class Watched:
    def __init__(self, *offers: Any) -> None:
        self.events: list[Event] = []
        self.watch = JobTypeWatch(JobTypeCatalog(offers), self.events.extend)

    async def look(self) -> list[Event]:
        self.events.clear()
        await self.watch.look()
        return list(self.events)

    async def names(self) -> list[str]:
        return [shown.name for shown in await self.watch.shown()]


async def test_the_list_is_answered_from_memory() -> None:
    shelf = Shelf(paper("a"))
    watched = Watched(shelf)
    assert await watched.names() == ["a"]
    shelf.fill(paper("a"), paper("b"))
    assert await watched.names() == ["a"]
    assert shelf.looks == 1
    await watched.look()
    assert await watched.names() == ["a", "b"]


async def test_an_object_that_is_the_same_is_described_once(monkeypatch) -> None:
    described = []

    def counted(job_type: Any) -> Any:
        described.append(job_type.name)
        return available_job_type(job_type)

    monkeypatch.setattr("flamenco_core.manager.job_type_watch.available_job_type", counted)
    shelf = Shelf(paper("a"), paper("b"))
    watched = Watched(shelf)
    for _ in range(3):
        await watched.look()
        await watched.watch.get("a")
    assert described == ["a", "b"]
    shelf.found["b"] = paper("b", label="New")
    await watched.look()
    assert described == ["a", "b", "b"]


async def test_what_changed_is_told_once() -> None:
    shelf = Shelf(paper("a"), paper("b"), paper("c", source_hash="1"))
    watched = Watched(shelf)
    assert await watched.look() == []
    assert await watched.look() == []
    shelf.fill(paper("b", label="New"), paper("c", source_hash="2"), paper("d"))
    expected = JobTypesChanged(added=("d",), changed=("b", "c"), removed=("a",))
    assert await watched.look() == [expected]
    assert await watched.look() == []


async def test_problems_are_told_until_they_are_gone(caplog) -> None:
    caplog.set_level(logging.INFO)
    shelf = Shelf(paper("a"))
    watched = Watched(shelf)
    await watched.look()
    shelf.fill()
    shelf.broken = {"a": "nothing is not defined (a.js:1:1)"}
    assert await watched.look() == [
        JobTypesChanged(removed=("a",), problems=(("a", "nothing is not defined (a.js:1:1)"),))
    ]
    assert [p.message for p in (await watched.watch.state()).problems] == [shelf.broken["a"]]
    assert await watched.look() == []
    shelf.broken = {"b": "other"}
    await watched.look()
    shelf.broken = {}
    assert await watched.look() == [JobTypesChanged()]
    assert "gone: a; broken: a" in caplog.text
    assert "none is broken any more" in caplog.text


async def test_who_submits_gets_the_newest_and_the_list_follows() -> None:
    shelf = Shelf(paper("a"))
    watched = Watched(shelf)
    await watched.look()
    shelf.fill(paper("a", label="New"))
    assert (await watched.watch.get("a")).shown.label == "New"
    assert [shown.label for shown in await watched.watch.shown()] == ["New"]
    shelf.broken = {"a": "broken"}
    shelf.fill()
    with pytest.raises(JobTypeError, match="broken"):
        await watched.watch.get("a")
    assert await watched.names() == []
    shelf.broken = {}
    shelf.fill(paper("b"))
    assert (await watched.watch.get("b")).shown.name == "b"
    assert await watched.names() == ["b"]
    with pytest.raises(UnknownJobType, match="'a'"):
        await watched.watch.get("a")


async def test_a_removed_one_is_off_the_list_with_the_first_refusal() -> None:
    shelf = Shelf(paper("a"))
    watched = Watched(shelf)
    await watched.look()
    shelf.fill()
    with pytest.raises(UnknownJobType):
        await watched.watch.get("a")
    assert await watched.names() == []


async def test_an_outdated_etag_is_told_what_changed() -> None:
    old = paper("a", Setting(key="chunk_size", type="int32", default=1))
    new = paper(
        "a",
        Setting(key="chunk_size", type="int32", default=2),
        Setting(key="frames", type="string"),
    )
    shelf = Shelf(old)
    watched = Watched(shelf)
    await watched.look()
    etag = available_job_type(old).etag
    assert (await watched.watch.get_current("a", etag)).job_type is old
    shelf.fill(new)
    with pytest.raises(OutdatedJobType) as raised:
        await watched.watch.get_current("a", etag)
    assert str(raised.value) == (
        f"{PLAIN}: setting 'frames' was added; 'chunk_size' has another default (1 -> 2)"
    )
    assert (await watched.watch.get_current("a", "")).job_type is new


@pytest.mark.parametrize("etag", ["never seen", "\0", "'; drop table jobs"])
async def test_an_etag_that_is_not_known_gets_the_plain_words(etag: str) -> None:
    watched = Watched(Shelf(paper("a")))
    with pytest.raises(OutdatedJobType) as raised:
        await watched.watch.get_current("a", etag)
    assert str(raised.value) == PLAIN


async def test_one_that_cannot_be_described_hides_only_itself() -> None:
    shelf = Shelf(paper("a"), PaperJobType(name="bad", settings=5))
    watched = Watched(shelf)
    assert await watched.names() == ["a"]
    (problem,) = (await watched.watch.state()).problems
    assert (problem.name, "cannot be described" in problem.message) == ("bad", True)
    with pytest.raises(JobTypeError, match="'bad' cannot be described"):
        await watched.watch.get("bad")


async def test_a_set_that_is_too_busy_keeps_what_it_had() -> None:
    shelf = Shelf(paper("a"))
    watched = Watched(shelf)
    await watched.look()
    shelf.error = Busy("too many jobs are being compiled")
    assert await watched.look() == []
    assert await watched.names() == ["a"]


async def test_a_set_that_fails_is_logged_once_and_told(caplog) -> None:
    shelf = Shelf(paper("a"))
    watched = Watched(shelf, paper("b"))
    await watched.look()
    shelf.error = OSError("the share is gone")
    text = "its job types cannot be listed: OSError('the share is gone')"
    assert await watched.look() == [JobTypesChanged(removed=("a",), problems=(("shelf", text),))]
    assert await watched.look() == []
    ours = [r.levelname for r in caplog.records if r.name.endswith("job_types")]
    assert ours == ["ERROR"]
    shelf.error = None
    assert await watched.look() == [JobTypesChanged(added=("a",))]


async def test_a_broken_replacement_does_not_bring_back_what_it_replaces() -> None:
    shelf = Shelf()
    shelf.broken = {"a": "broken"}
    watched = Watched(shelf, paper("a"))
    assert await watched.names() == []
    with pytest.raises(JobTypeError, match="broken"):
        await watched.watch.get("a")


def test_history_is_bounded() -> None:
    history = JobTypeHistory()
    versions = [available_job_type(paper("a", label=str(n))) for n in range(VERSIONS + 1)]
    for shown in versions:
        history.remember(shown)
    assert history.find("a", versions[0].etag) is None
    assert history.find("a", versions[1].etag) is versions[1]
    assert history.find("b", versions[1].etag) is None
    for number in range(JOB_TYPES):
        history.remember(available_job_type(paper(f"b{number}")))
    assert history.find("a", versions[-1].etag) is None


def test_a_version_that_is_in_use_again_is_not_the_oldest() -> None:
    history = JobTypeHistory()
    versions = [available_job_type(paper("a", label=str(n))) for n in range(VERSIONS + 1)]
    for shown in [*versions[:VERSIONS], versions[0], versions[VERSIONS]]:
        history.remember(shown)
    assert history.find("a", versions[0].etag) is not None
    assert history.find("a", versions[1].etag) is None
