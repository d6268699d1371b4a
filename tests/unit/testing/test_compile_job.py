"""``compile_job``: a class, an object or a file in, and tasks that tests can talk about."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from flamenco_core import Author, JobType, setting
from flamenco_core.errors import JobTypeError
from flamenco_core.offers import AuthoredCommand, AuthoredJob, AuthoredTask
from flamenco_core.testing import compile_job
from flamenco_core.testing.compiled import CompiledJob
from flamenco_core.testing.compiling import refused_commands


@attrs.frozen
class Shots(JobType):
    """Render shots, then make a film of them."""

    name = "shots"
    label = "Shots"
    folder: str
    count: int = setting(2)

    def author(self, author: Author) -> None:
        shots = []
        for number in range(1, self.count + 1):
            shot = author.task(f"shot {number}", "blender", priority=60)
            shots.append(shot.command("render", {"frame": number}, steps=3))
        film = author.task("film", "ffmpeg").command("join", {"folder": self.folder})
        film.command("echo", {"message": "ü"}).after(*shots)


IN_PYTHON = Path(__file__)


async def test_tasks_are_found_by_name_and_type() -> None:
    job = await compile_job(Shots, {"folder": "/x"}, priority=70, metadata={"user": "artist"})
    assert job.names == ["shot 1", "shot 2", "film"]
    assert [task.name for task in job.of_type("blender")] == ["shot 1", "shot 2"]
    assert job.of_type("nothing") == []
    film = job.task("film")
    assert (film.after, film.parents) == (("shot 1", "shot 2"), (0, 1))
    assert film.command("join") == {"folder": "/x"}
    shot = job.task("shot 1")
    assert (shot.after, shot.priority, shot.steps_total) == ((), 60, 3)
    assert (job.priority, job.metadata) == (70, {"user": "artist"})


async def test_a_job_is_shown_in_lines() -> None:
    job = await compile_job(Shots, {"folder": "/x", "count": 1})
    assert str(job).splitlines() == [
        "shot 1 [blender]",
        "  render frame=1",
        "film [ffmpeg] after shot 1",
        '  join folder="/x"',
        '  echo message="ü"',
    ]


async def test_what_is_not_there_is_told_with_what_is() -> None:
    job = await compile_job(Shots, {"folder": "/x"})
    with pytest.raises(AssertionError, match=r"0 tasks are called 'shot 9'; there are \['shot 1'"):
        job.task("shot 9")
    with pytest.raises(AssertionError, match=r"'film' has 0 'render' in \['join', 'echo'\]"):
        job.task("film").command("render")


async def test_defaults_are_filled_in_as_clients_do() -> None:
    assert (await compile_job(Shots, {"folder": "/x"})).settings == {"folder": "/x", "count": 2}
    given = await compile_job(Shots, {"folder": "/x"}, defaults=False)
    assert given.settings == {"folder": "/x"}


@pytest.mark.parametrize("kind", [Path, str])
async def test_a_file_of_python_is_a_job_type(kind: type) -> None:
    job = await compile_job(kind(IN_PYTHON), {"folder": "/x"})
    assert job.names[-1] == "film"


async def test_a_script_is_a_job_type(tmp_path: Path) -> None:
    pytest.importorskip("flamenco_javascript")
    script = tmp_path / "my_stills.js"
    script.write_text(
        "const JOB_TYPE = {label: 'S', settings: [{key: 'n', type: 'int32', default: 2}]};\n"
        "function compileJob(job) {\n"
        "  if (job.settings.n > 9) throw new Error('too many');\n"
        "  for (let i = 0; i < job.settings.n; i++) {\n"
        "    job.addTask(author.Task(`${job.jobType} ${i}`, 'misc'));\n"
        "  }\n"
        "}\n"
    )
    script.chmod(0o644)
    assert (await compile_job(script)).names == ["my-stills 0", "my-stills 1"]
    assert (await compile_job(str(script), {"n": 1})).names == ["my-stills 0"]
    with pytest.raises(JobTypeError, match=r"too many \(my_stills\.js:3:"):
        await compile_job(script, {"n": 10})


async def test_what_is_no_job_type_is_told(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"there is no file .*gone\.js"):
        await compile_job(tmp_path / "gone.js")
    other = tmp_path / "notes.txt"
    other.write_text("x")
    with pytest.raises(AssertionError, match=r"no installed plugin knows job types in \.txt"):
        await compile_job(other)
    empty = tmp_path / "empty.py"
    empty.write_text("x = 1")
    with pytest.raises(AssertionError, match=r"empty\.py has these job types: \[\]"):
        await compile_job(empty)


def test_commands_that_workers_here_would_refuse_are_named() -> None:
    wrong = (
        AuthoredCommand("sleep", {"duration_in_seconds": "long"}),
        AuthoredCommand("echo", {"text": "hello"}),
        AuthoredCommand("only-elsewhere", {"x": 1}),
    )
    tasks = (
        AuthoredTask(name="fine", type="misc", commands=(AuthoredCommand("echo", {"message": 1}),)),
        AuthoredTask(name="wrong", type="misc", commands=wrong),
    )
    job = AuthoredJob(name="slips", priority=50, settings={}, metadata={}, tasks=tasks)
    assert refused_commands(CompiledJob.of(job)) == [
        'task \'wrong\': sleep: parameter "duration_in_seconds" has invalid value "long":'
        " must be a number",
        "task 'wrong': echo: there is no parameter \"text\" (there are: message)",
    ]
