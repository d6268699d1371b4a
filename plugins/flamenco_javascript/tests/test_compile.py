"""Compiling jobs: what scripts write, and what comes of it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from flamenco_javascript.job_types import ScriptJobTypes

from flamenco_core.offers import AuthoredJob, Submission
from flamenco_core.platform import go_os

Compile = Callable[..., Awaitable[AuthoredJob]]
InFolder = Callable[..., ScriptJobTypes]
JOB_TYPE = 'const JOB_TYPE = {label: "Test", settings: []};\n'
TASK = "const a = author.Task('a', 'misc');"


async def test_every_call_of_the_interface_works(
    own_scripts: Path,
    job_types_in: InFolder,
    submission: Callable[..., Submission],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    caplog.set_level(logging.INFO)
    job_type = await job_types_in(own_scripts).get("every-call")
    assert job_type is not None
    job = await job_type.compile(
        submission({"frames": "1-5", "chunk_size": 2}, type="every-call", worker_tag="t")
    )
    assert job.settings == {
        "frames": "1-5",
        "chunk_size": 2,
        "chunks": ["1,2", "3,4", "5"],
        "count": 5,
        "stamp": "2023-11-14_221320",
        "words": ["--one", "two three", "four five"],
        "names": ["b.c", "a", "b", "b"],
        "place": [str(Path.cwd()), go_os()],
        "same": True,
        "greeting": "good morning shot 12 42",
        "facts": [
            "11111111-2222-4333-8444-555555555555",
            "every-call",
            50,
            "under-construction",
            "agent/12",
            "t",
            "Agent",
            0,
            "object",
        ],
        "ids": [task.id for task in job.tasks],
        "shown": ["first", "misc", 80, 1, 1],
    }
    assert job.metadata == {"project": "Agent", "made_by": "every call"}
    assert (job.name, job.priority) == ("shot 12 (all)", 61)
    first, second = job.tasks
    assert (first.name, first.type, first.priority, first.parents) == ("first", "misc", 80, ())
    assert (second.name, second.priority, second.parents) == ("second", 50, (0,))
    assert [(c.name, c.parameters, c.steps) for c in second.commands] == [
        ("sleep", {"duration_in_seconds": 2}, 4),
        ("exec", {"exe": "true", "args": ["-x", 1, 2.5, True]}, 0),
    ]
    assert isinstance(second.commands[0].parameters["duration_in_seconds"], int)
    assert (first.steps_total, second.steps_total) == (1, 5)
    assert first.id.startswith("00000001-")
    said = [
        (r.levelname, r.getMessage()) for r in caplog.records if "every_call.js" in r.msg % r.args
    ]
    assert said == [
        ("INFO", 'every_call.js: compiling shot 12 {"chunk":2} [1,2] null undefined'),
        ("WARNING", "every_call.js: mind the gap"),
    ]


async def test_an_ordinary_render_script_makes_chunks_and_a_film(
    own_scripts: Path, job_types_in: InFolder, submission: Callable[..., Submission]
) -> None:
    job_type = await job_types_in(own_scripts).get("still-frames")
    assert job_type is not None
    settings = {
        "frames": "1-7,10",
        "chunk_size": 3,
        "output": "/render/{project}/{timestamp}/######",
        "blendfile": "{jobs}/shot/scene.blend",
        "fps": 24,
    }
    job = await job_type.compile(submission(settings))
    assert [task.name for task in job.tasks] == ["render-1-3", "render-4-6", "render-7,10", "film"]
    assert [task.steps_total for task in job.tasks] == [3, 3, 2, 1]
    assert job.tasks[3].parents == (0, 1, 2)
    assert job.tasks[0].commands[0].parameters["args"][-1] == "1..3"
    assert job.settings["output"].startswith("/render/{project}/20")
    film = job.tasks[3].commands[0].parameters
    assert film["inputGlob"].endswith("/*.png")
    assert film["outputFile"].endswith("/scene.mp4")
    assert film["args"][-1] == 24


ADD = "job.addTask(author.Task('a', 'b'));"
LABEL = "JOB_TYPE = {label: 'T'};"


@pytest.mark.parametrize(
    "script",
    [
        f"var {LABEL} var compileJob = function (job) {{ {ADD} }};",
        f"let {LABEL} let compileJob = (job) => {ADD}",
        f"const {LABEL} const compileJob = job => {{ {ADD} }}",
        f"globalThis.{LABEL} globalThis.compileJob = (job) => {ADD}",
        f"this.{LABEL} function compileJob(job) {{ {ADD} }}",
        f"const {LABEL} async function compileJob(job) {{ await null; {ADD} }}",
        f"const {LABEL} const path = require('path'); const {{Task}} = require('author');"
        " function compileJob(job) { job.addTask(Task(path.stem('a.x'), 'b')); }",
        f"'use strict'; const {LABEL} class Maker {{ run(job) {{ {ADD} }} }}"
        " const compileJob = (job) => new Maker().run(job);",
    ],
)
async def test_the_two_names_may_be_declared_in_any_form(compiled: Compile, script: str) -> None:
    job = await compiled(script=script)
    assert [task.name for task in job.tasks] == ["a"]


async def test_the_task_is_copied_when_it_is_added(compiled: Compile) -> None:
    job = await compiled(
        TASK
        + """
        const before = author.Command('echo', {list: [1]});
        a.addCommand(before);
        before.name = 'late';
        before.parameters.list.push(2);
        job.addTask(a);
        a.addCommand(author.Command('late', {}));
        a.name = 'late';
        a.priority = 1;
        a.addDependency(a);
        """
    )
    (task,) = job.tasks
    assert (task.name, task.priority, task.parents) == ("a", 50, ())
    assert [(c.name, c.parameters) for c in task.commands] == [("echo", {"list": [1]})]


async def test_a_dependency_is_a_reference_and_may_be_added_later(compiled: Compile) -> None:
    job = await compiled(
        TASK
        + "const b = author.Task('b', 'misc'); b.addDependency(a); job.addTask(b); job.addTask(a);"
    )
    assert [(task.name, task.parents) for task in job.tasks] == [("b", (1,)), ("a", ())]


async def test_errors_of_the_host_can_be_caught(compiled: Compile) -> None:
    job = await compiled(
        "try { frameChunker('x', 1); } catch (error) { job.settings.caught = error.message; }"
    )
    assert job.settings["caught"].startswith('invalid range "x"')


async def test_a_job_without_tasks_is_a_job(compiled: Compile) -> None:
    assert (await compiled("return 'ignored';")).tasks == ()


async def test_each_compilation_starts_afresh(compiled: Compile) -> None:
    script = (
        "let count = 0; const JOB_TYPE = {label: 'T'};"
        "function compileJob(job) { job.settings.count = ++count; }"
    )
    assert [(await compiled(script=script)).settings["count"] for _ in range(2)] == [1, 1]


async def test_settings_keep_their_types_and_metadata_become_texts(compiled: Compile) -> None:
    given = {"f": 1.5, "i": 3, "b": False, "s": "ü{x}", "n": None, "l": [1, "a"], "o": {"a": 1}}
    job = await compiled("job.metadata = {a: 1, b: true, c: null};", job=given)
    assert job.settings == given
    assert job.metadata == {"a": "1", "b": "true", "c": ""}


async def test_names_that_are_special_to_javascript_are_only_names(compiled: Compile) -> None:
    given = {"__proto__": "x", "constructor": "y", "toString": "z"}
    job = await compiled("job.settings.hasOwnProperty = 1;", job=given)
    assert job.settings == {**given, "hasOwnProperty": 1}


async def test_a_large_job_is_made_in_one_go(compiled: Compile) -> None:
    job = await compiled(
        """
        for (let i = 0; i < 20000; i++) {
            const task = author.Task('task-' + i, 'misc');
            task.addCommand(author.Command('echo', {message: 'hello'}));
            job.addTask(task);
        }
        """,
    )
    assert len(job.tasks) == 20_000
    assert len({task.id for task in job.tasks}) == 20_000


async def test_libraries_may_need_each_other_and_run_once(compiled: Compile) -> None:
    libraries = {
        "a.js": "exports.name = 'a'; exports.b = require('b'); exports.runs = -~exports.runs;",
        "b.js": "const a = require('./a'); exports.seen = a.name; exports.two = require('sub');",
        "sub/index.js": "module.exports = require('./two').value;",
        "sub/two.js": "exports.value = 2;",
    }
    job = await compiled(
        "const a = require('a.js');"
        "job.settings.r = [a.b.seen, a.runs, a.b.two, require('./a') === a];",
        libraries=libraries,
    )
    assert job.settings["r"] == ["a", 1, 2, True]


async def test_a_flood_of_print_is_cut(compiled: Compile, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await compiled("for (let i = 0; i < 5000; i++) print('x'.repeat(10000));")
    lines = [message for message in caplog.messages if message.startswith("test.js")]
    assert len(lines) == 1000
    assert len(lines[0]) < 2100
