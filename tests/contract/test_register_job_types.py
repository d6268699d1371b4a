from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from flamenco_core import Submission
from flamenco_core.builtin.echo_sleep_test import EchoSleepTest
from flamenco_core.errors import DuplicateName
from flamenco_core.manager import create_manager
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.offers import AuthoredCommand, AuthoredJob, AuthoredTask
from flamenco_core.testing import JobTypeContract


async def test_the_example_greets(load, example) -> None:
    plugins = load("manager", example("register_job_types"))
    greet = plugins.registered("register_job_types", manager=None)["greet"].offered()
    submission = Submission(
        job_id="1", name="hi", type="greet", priority=50, created=0, settings={"whom": "you"}
    )
    job = await greet.compile(submission)
    assert job.tasks[0].commands[0].parameters == {"message": "Hello, you!"}


def test_one_name_of_two_plugins_stops_the_start(load, example, implementing) -> None:
    module = example("register_job_types")
    other = implementing("other", register_job_types=lambda: [module.Greet])
    with pytest.raises(DuplicateName, match="'greet'"):
        load("manager", module, other).registered("register_job_types", manager=None)


# -- in a Manager ----------------------------------------------------------------------------


async def test_a_manager_lists_and_compiles_it(manager, example) -> None:
    async with manager([example("register_job_types")]) as running:
        types = (await running.client.get("/api/v3/jobs/types")).json()["job_types"]
        assert [job_type["name"] for job_type in types] == ["echo-sleep-test", "greet"]
        job = await running.submit("greet", {"whom": "you"})
        assert [task["name"] for task in await running.tasks(job)]


def test_a_manager_with_two_of_one_name_does_not_start(example, implementing) -> None:
    module = example("register_job_types")
    other = implementing("other", register_job_types=lambda: [module.Greet])
    with pytest.raises(DuplicateName, match=r"'greet'.*blocked"):
        create_manager(plugins=[module, other], discover=False)


class Broken:
    """A job type whose author made a mistake."""

    name = label = "broken"
    description = ""
    settings = ()

    async def compile(self, submission: Submission) -> AuthoredJob:
        return {}["frames"]


async def test_a_mistake_in_it_is_told_with_its_name(manager, implementing, caplog) -> None:
    plugin = implementing(register_job_types=lambda: [Broken()])
    async with manager([plugin]) as running:
        body = {"name": "x", "type": "broken", "submitter_platform": "linux"}
        for path in ("jobs", "jobs/check"):
            answer = await running.client.post(f"/api/v3/{path}", json=body)
            assert answer.status_code == 400
            assert "'broken' failed: KeyError('frames')" in answer.json()["message"]
        assert (await running.client.get("/api/v3/jobs")).json() == {"jobs": []}
    assert "KeyError" in caplog.text


class Making(Broken):
    """Makes what it is told to."""

    def __init__(self, *tasks: AuthoredTask) -> None:
        self.tasks = tasks

    async def compile(self, submission: Submission) -> AuthoredJob:
        return AuthoredJob(name="x", priority=50, settings={}, metadata={}, tasks=self.tasks)


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ([AuthoredTask(name="a", type="t", parents=(0,))], "not in the job"),
        ([AuthoredTask(name="a", type="t", parents=(5,))], "not in the job"),
        (
            [
                AuthoredTask(name="a", type="t", parents=(1,)),
                AuthoredTask(name="b", type="t", parents=(0,)),
            ],
            "circle: a, b",
        ),
        ([AuthoredTask(name="a\0", type="t")], "NUL"),
        (
            [AuthoredTask(name="a", type="t", commands=(AuthoredCommand("c", {"p": object()}),))],
            "no JSON",
        ),
        (
            [AuthoredTask(name="a", type="t", commands=(AuthoredCommand("c", {"p": 1e999}),))],
            "no JSON",
        ),
        ([AuthoredTask(name="a", type="t", commands=(AuthoredCommand("c"),) * 51)], "51 commands"),
    ],
)
async def test_tasks_that_could_never_run_are_refused(manager, implementing, tasks, words) -> None:
    plugin = implementing(register_job_types=lambda: [Making(*tasks)])
    async with manager([plugin]) as running:
        body = {"name": "x", "type": "broken", "submitter_platform": "linux"}
        answer = await running.client.post("/api/v3/jobs", json=body)
        assert answer.status_code == 400
        assert words in answer.json()["message"]


class Folder:
    """A set of job types that cannot be read."""

    name = "folder"

    async def all(self) -> list[object]:
        raise OSError("the share is gone")

    async def get(self, name: str) -> None:
        return None


async def test_a_broken_set_does_not_hide_the_rest(manager, implementing, caplog) -> None:
    async with manager([implementing(register_job_types=lambda: [Folder()])]) as running:
        types = (await running.client.get("/api/v3/jobs/types")).json()["job_types"]
        assert [job_type["name"] for job_type in types] == ["echo-sleep-test"]
    assert "the share is gone" in caplog.text


class TestGreet(JobTypeContract):
    """The contract that is shipped for plugin authors holds for the example."""

    settings = {"whom": "you"}

    @pytest.fixture(autouse=True)
    def _loaded(self, example) -> None:
        type(self).job_type = example("register_job_types").Greet


class TestEchoSleep(JobTypeContract):
    """And for what is built in."""

    job_type = EchoSleepTest
    settings = {"message": "hi"}


async def test_where_a_job_type_comes_from_is_told_and_kept_with_its_jobs(manager, example) -> None:
    module = example("register_job_types")
    expected = sha256(Path(module.__file__).read_bytes()).hexdigest()
    async with manager([module]) as running:
        state = (await running.client.get("/api/v3/jobs/types/state")).json()
        greet = next(kind for kind in state["job_types"] if kind["name"] == "greet")
        assert (greet["source"], greet["source_hash"]) == ("register_job_types.py", expected)
        assert state["problems"] == []
        job = await running.submit("greet", {"whom": "you"})
        row = await running.manager.database.read(job_rows.job_by_uuid, job)
        assert row.source_hash == expected
