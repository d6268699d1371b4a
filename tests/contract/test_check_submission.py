from __future__ import annotations

import attrs
import pytest

from flamenco_core import Problem, Submission
from flamenco_core.offers import Variable, VariableValue

JOB = Submission(job_id="1", name="shot", type="greet", priority=50, created=0)


async def problems(plugins, job: Submission) -> list[Problem]:
    return await plugins.check("check_submission", job=job, manager=None)


async def test_the_example_asks_for_the_project(load, example) -> None:
    module = example("check_submission")
    (problem,) = await problems(load("manager", module), JOB)
    assert problem.message.startswith("say which project")
    assert problem.plugin == module.__name__
    named = attrs.evolve(JOB, metadata={"project": "Sprite"})
    assert await problems(load("manager", module), named) == []


async def test_the_artist_hears_of_all_problems_at_once(load, example, implementing) -> None:
    late = implementing("late", check_submission=lambda job: [Problem("too late")])
    found = await problems(load("manager", example("check_submission"), late), JOB)
    assert [problem.plugin for problem in found] == ["late", "example_check_submission"]


# -- in a Manager ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["jobs", "jobs/check"])
async def test_the_artist_reads_the_message_and_nothing_is_stored(manager, example, path) -> None:
    body = {"name": "x", "type": "echo-sleep-test", "submitter_platform": "linux"}
    body["settings"] = {"message": "hi"}
    async with manager([example("check_submission")]) as running:
        answer = await running.client.post(f"/api/v3/{path}", json=body)
        assert answer.status_code == 400
        assert answer.json()["message"].startswith("say which project")
        assert (await running.client.get("/api/v3/jobs")).json() == {"jobs": []}
        body["metadata"] = {"project": "Sprite"}
        assert (await running.client.post(f"/api/v3/{path}", json=body)).is_success


async def test_it_sees_paths_as_they_will_be_stored(manager, implementing) -> None:
    seen: list[Submission] = []
    mine = Variable(name="root", is_twoway=True, values=(VariableValue(value="/mnt/farm"),))
    plugin = implementing(
        register_variables=lambda: [mine], check_submission=lambda job: seen.append(job)
    )
    async with manager([plugin]) as running:
        await running.submit("echo-sleep-test", {"message": "/mnt/farm/a"}, name="shot")
    assert (seen[0].name, seen[0].settings["message"]) == ("shot", "{root}/a")


async def test_a_check_that_raises_lets_nothing_through(manager, implementing, caplog) -> None:
    def check_submission() -> None:
        raise OSError("the share is gone")

    async with manager([implementing("quota", check_submission=check_submission)]) as running:
        body = {"name": "x", "type": "echo-sleep-test", "submitter_platform": "linux"}
        answer = await running.client.post("/api/v3/jobs", json=body)
    assert answer.status_code == 400
    assert "'quota' failed" in answer.json()["message"]
