from __future__ import annotations

import pytest

from flamenco_core import Submission
from flamenco_core.errors import DuplicateName


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
