from __future__ import annotations

from pathlib import Path

import pytest

from flamenco_core.errors import JobTypeError
from flamenco_core.offers import Submission


async def test_the_example_reads_a_job_type_from_a_table(load, example, tmp_path: Path) -> None:
    plugins = load("manager", example("find_job_type"))
    file = tmp_path / "greet.csv"
    file.write_text("morning,good morning\nevening,good evening\n")
    found = await plugins.find("find_job_type", path=file, host=None)
    job = await found.compile(
        Submission(job_id="x", name="n", type="greet", priority=50, created=0)
    )
    assert [(task.name, task.commands[0].parameters["message"]) for task in job.tasks] == [
        ("morning", "good morning"),
        ("evening", "good evening"),
    ]


async def test_a_broken_file_says_in_which_line(load, example, tmp_path: Path) -> None:
    plugins = load("manager", example("find_job_type"))
    file = tmp_path / "broken.csv"
    file.write_text("a,b\nc\n")
    with pytest.raises(JobTypeError, match="line 2"):
        await plugins.find("find_job_type", path=file, host=None)


async def test_a_file_of_another_kind_is_left_to_the_others(load, example, tmp_path: Path) -> None:
    plugins = load("manager", example("find_job_type"))
    assert await plugins.find("find_job_type", path=tmp_path / "x.toml", host=None) is None
