from __future__ import annotations

import attrs

from flamenco_core import Problem, Submission

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
