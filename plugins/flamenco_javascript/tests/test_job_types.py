"""A folder of scripts as a set of job types, while people edit it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from flamenco_javascript.compiler import Compiler
from flamenco_javascript.job_types import ScriptJobTypes
from flamenco_javascript.settings import Settings

from flamenco_core.errors import JobTypeError
from flamenco_core.offers import JobTypeLike, JobTypes, Submission
from flamenco_core.wire.describe import available_job_type

InFolder = Callable[..., ScriptJobTypes]


def script(label: str = "Test", body: str = "") -> str:
    return f'const JOB_TYPE = {{label: "{label}"}};\nfunction compileJob(job) {{ {body} }}\n'


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
    return path


async def names(job_types: ScriptJobTypes) -> list[str]:
    return [job_type.name for job_type in await job_types.all()]


async def test_scripts_are_offered_as_one_set_of_job_types(
    own_scripts: Path, job_types_in: InFolder
) -> None:
    job_types = job_types_in(own_scripts)
    assert isinstance(job_types, JobTypes)
    assert job_types.name == "javascript"
    found = await job_types.all()
    assert [job_type.name for job_type in found] == ["every-call", "still-frames"]
    assert all(isinstance(job_type, JobTypeLike) for job_type in found)
    assert found[0].label == "Every Call"
    assert found[0].description == "Calls all there is."
    assert [setting.key for setting in found[0].settings][:2] == ["frames", "chunk_size"]
    source = (own_scripts / "every_call.js").read_bytes()
    assert found[0].source_hash == hashlib.sha256(source).hexdigest()


async def test_a_name_without_a_script_is_not_ours(folder: Path, job_types_in: InFolder) -> None:
    assert await job_types_in(folder).get("nothing") is None
    assert await job_types_in().all() == []


async def test_an_edit_takes_effect_at_once(folder: Path, job_types_in: InFolder) -> None:
    job_types = job_types_in(folder)
    path = write(folder / "a.js", script("Old"))
    old = await job_types.get("a")
    write(path, script("New"))
    new = await job_types.get("a")
    assert old is not None
    assert new is not None
    assert (old.label, new.label) == ("Old", "New")
    # Whoever has read the old settings is told to read them again.
    assert available_job_type(old).etag != available_job_type(new).etag
    assert old.source_hash != new.source_hash


async def test_a_job_type_in_hand_is_not_changed_by_an_edit(
    folder: Path, job_types_in: InFolder, submission: Callable[..., Submission]
) -> None:
    path = write(folder / "a.js", script(body="job.settings.by = 'old';"))
    old = await job_types_in(folder).get("a")
    path.unlink()
    assert old is not None
    assert (await old.compile(submission())).settings == {"by": "old"}


async def test_a_change_in_a_library_is_an_edit(folder: Path, job_types_in: InFolder) -> None:
    job_types = job_types_in(folder)
    write(folder / "lib.js", "exports.label = 'Old';")
    write(
        folder / "a.js",
        "const JOB_TYPE = {label: require('lib').label}; function compileJob() {}",
    )
    assert [job_type.label for job_type in await job_types.all()] == ["Old"]
    write(folder / "lib.js", "exports.label = 'New';")
    assert [job_type.label for job_type in await job_types.all()] == ["New"]


async def test_a_removed_script_is_gone(folder: Path, job_types_in: InFolder) -> None:
    job_types = job_types_in(folder)
    path = write(folder / "a.js", script())
    assert await names(job_types) == ["a"]
    path.unlink()
    assert await names(job_types) == []
    assert await job_types.get("a") is None


async def test_a_broken_script_hides_only_itself_and_is_logged_once(
    folder: Path, job_types_in: InFolder, caplog: pytest.LogCaptureFixture
) -> None:
    job_types = job_types_in(folder)
    write(folder / "bad.js", "const JOB_TYPE = {label: 'Bad'};\nlet let = 1;")
    write(folder / "good.js", script())
    for _ in range(3):
        assert await names(job_types) == ["good"]
        with pytest.raises(JobTypeError, match=r"\(bad\.js:2:5\)"):
            await job_types.get("bad")
    logged = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(logged) == 1
    assert "'bad'" in logged[0].getMessage()
    assert "(bad.js:2:5)" in logged[0].getMessage()


async def test_a_repaired_script_is_back(folder: Path, job_types_in: InFolder) -> None:
    job_types = job_types_in(folder)
    path = write(folder / "a.js", "const JOB_TYPE = {label: 'A'")
    assert await names(job_types) == []
    write(path, script())
    assert await names(job_types) == ["a"]


async def test_a_library_is_no_job_type_and_no_cause_for_a_warning(
    own_scripts: Path, job_types_in: InFolder, caplog: pytest.LogCaptureFixture
) -> None:
    job_types = job_types_in(own_scripts)
    assert "greetings" not in await names(job_types)
    with pytest.raises(JobTypeError, match=r"greetings\.js: it does not define JOB_TYPE"):
        await job_types.get("greetings")
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'const JOB_TYPE = {label: "A", settings: [{key: "x", type: "colour"}]};'
            " function compileJob() {}",
            r"a\.js: JOB_TYPE: setting 'x': type must be one of string, int32, float, bool;"
            " not 'colour'",
        ),
        ("const JOB_TYPE = {label: 'A'};", r"it does not define a compileJob\(job\) function"),
        ("const JOB_TYPE = 5; function compileJob() {}", r"a\.js: it does not define JOB_TYPE"),
        (
            "const JOB_TYPE = {label: () => 1}; function compileJob() {}",
            "JOB_TYPE.label: a function",
        ),
        ("\n  throw 'not today';", r"not today \(a\.js:2:3\)"),
    ],
)
async def test_get_says_what_is_wrong_with_a_script(
    folder: Path, job_types_in: InFolder, text: str, message: str
) -> None:
    write(folder / "a.js", text)
    with pytest.raises(JobTypeError, match=message):
        await job_types_in(folder).get("a")


async def test_a_script_that_was_too_slow_gets_a_second_chance(
    folder: Path, job_types_in: InFolder, clock: Any
) -> None:
    job_types = job_types_in(folder, seconds=0.3)
    write(folder / "a.js", "while (true) {}")
    runs: list[str] = []
    ask = job_types._compiler.ask

    async def counted(script: Any, wants: str, **facts: Any) -> bytes:
        runs.append(wants)
        return await ask(script, wants, **facts)

    job_types._compiler.ask = counted  # type: ignore[method-assign]
    assert await names(job_types) == []
    assert await names(job_types) == []
    assert len(runs) == 1
    clock.seconds += 61
    assert await names(job_types) == []
    assert len(runs) == 2
    # The next pause is longer: nobody shall pay for a loop each minute.
    clock.seconds += 61
    assert await names(job_types) == []
    assert len(runs) == 2
    clock.seconds += 60
    assert await names(job_types) == []
    assert len(runs) == 3


async def test_many_first_questions_are_one_run(
    folder: Path, clock: Any, new_id: Callable[[], str]
) -> None:
    write(folder / "a.js", script())
    runs: list[str] = []

    class Counting(Compiler):
        async def ask(self, script: Any, wants: str, **facts: Any) -> bytes:
            runs.append(wants)
            return b'{"label": "A"}'

    job_types = ScriptJobTypes([folder], Counting(Settings()), clock, new_id)
    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(job_types.all)
    assert runs == ["describe"]


async def test_only_what_changed_is_run_again(
    folder: Path, clock: Any, new_id: Callable[[], str]
) -> None:
    for name in ("a", "b", "c"):
        write(folder / f"{name}.js", script())
    runs: list[str] = []

    class Counting(Compiler):
        async def ask(self, script: Any, wants: str, **facts: Any) -> bytes:
            runs.append(script.name)
            return b'{"label": "A"}'

    job_types = ScriptJobTypes([folder], Counting(Settings()), clock, new_id)
    before = await job_types.all()
    assert runs == ["a", "b", "c"]
    write(folder / "b.js", script("New"))
    after = await job_types.all()
    assert runs == ["a", "b", "c", "b"]
    assert [new is old for new, old in zip(after, before, strict=True)] == [True, False, True]
    # The same content again is no news, whatever its time.
    write(folder / "b.js", script("New"))
    assert await job_types.all() == after
    assert len(runs) == 4


async def test_a_slow_script_does_not_keep_the_others_waiting(
    folder: Path, clock: Any, new_id: Callable[[], str]
) -> None:
    for name in ("fast", "slow"):
        write(folder / f"{name}.js", script())
    asked, go_on = anyio.Event(), anyio.Event()

    class Slow(Compiler):
        async def ask(self, script: Any, wants: str, **facts: Any) -> bytes:
            if script.name == "slow":
                asked.set()
                await go_on.wait()
            return b'{"label": "A"}'

    job_types = ScriptJobTypes([folder], Slow(Settings()), clock, new_id)
    async with anyio.create_task_group() as group:
        group.start_soon(job_types.get, "slow")
        await asked.wait()
        assert await job_types.get("fast") is not None
        go_on.set()


async def test_problems_are_told_but_no_libraries(folder: Path, job_types_in: InFolder) -> None:
    job_types = job_types_in(folder)
    write(folder / "bad.js", "const JOB_TYPE = {label: 'Bad'};\nlet let = 1;")
    write(folder / "good.js", script())
    write(folder / "lib.js", "exports.x = 1;")
    assert job_types.problems() == {}
    await job_types.all()
    assert list(job_types.problems()) == ["bad"]
    assert "(bad.js:2:5)" in job_types.problems()["bad"]
    (folder / "bad.js").unlink()
    await job_types.all()
    assert job_types.problems() == {}
