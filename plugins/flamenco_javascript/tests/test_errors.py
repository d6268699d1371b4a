"""Jobs that are refused: what people are told, and where the mistake is."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import pytest
from flamenco_javascript.settings import Settings

from flamenco_core.offers import AuthoredJob

Compile = Callable[..., Awaitable[AuthoredJob]]
Refused = Callable[..., Awaitable[str]]
JOB_TYPE = 'const JOB_TYPE = {label: "Test", settings: []};\n'
TASK = "const a = author.Task('a', 'misc');"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('  throw "no output";', "no output (test.js:3:3)"),
        ('  throw new Error("no output");', "no output (test.js:3:3)"),
        ('throw new Error("two\\nlines");', "two\nlines (test.js:3:1)"),
        (
            "job.settings.a.b",
            "TypeError: Cannot read properties of undefined (reading 'b') (test.js:3:16)",
        ),
        ("x = 1", "ReferenceError: x is not defined (test.js:3:3)"),
        (
            "\n\n    frameChunker('1,,2', 3)",
            'invalid range "1,,2": "" (expected a frame number, or two of them with a dash'
            " between) (test.js:5:5)",
        ),
        (
            f"{TASK}\na.nmae = 'b';",
            "TypeError: Cannot add property nmae, object is not extensible (test.js:4:8)",
        ),
        (
            "job.addTask();",
            "TypeError: job.addTask expects a task, made with author.Task (test.js:3:5)",
        ),
        ("author.Task('a');", "author.Task: a type is required (test.js:3:8)"),
        (
            "require('left-pad')",
            'require("left-pad"): there is no such module, nor file in the'
            " folder of the scripts (test.js:3:1)",
        ),
    ],
)
async def test_an_error_is_told_with_its_place(refused: Refused, body: str, message: str) -> None:
    assert await refused(body) == message


async def test_an_error_in_the_first_line_has_its_own_column(refused: Refused) -> None:
    script = "  nothing.here; const JOB_TYPE = {}"
    assert await refused(script=script) == "ReferenceError: nothing is not defined (test.js:1:3)"


async def test_a_file_name_with_blanks_is_told_as_it_is(refused: Refused) -> None:
    script = f"{JOB_TYPE}function compileJob(job) {{ throw 'no'; }}"
    assert await refused(script=script, file="my job (2).js") == "no (my job (2).js:2:28)"


async def test_a_syntax_error_is_told_with_its_place(refused: Refused) -> None:
    script = f"{JOB_TYPE}\nlet x = ;"
    assert await refused(script=script) == "SyntaxError: Unexpected token ';' (test.js:3:9)"


async def test_an_error_in_a_library_names_the_library(refused: Refused) -> None:
    libraries = {
        "bad.js": "\nexports.f = 1;\nlet let;",
        "worse.js": "exports.f = () => {\n  throw new Error('worse');\n};",
        "broken.json": "{",
    }

    async def of(name: str) -> str:
        return await refused(f"require('{name}').f();", libraries=libraries)

    assert (await of("bad")).endswith("(bad.js:3:5)")
    assert await of("worse") == "worse (worse.js:2:3)"
    assert "JSON" in await of("broken.json")


async def test_an_async_script_that_fails_is_a_failure(refused: Refused) -> None:
    script = f"{JOB_TYPE}async function compileJob(job) {{ await null; throw new Error('late'); }}"
    assert await refused(script=script) == "late (test.js:2:52)"


async def test_an_async_script_that_waits_for_ever_is_a_failure(refused: Refused) -> None:
    script = f"{JOB_TYPE}async function compileJob(job) {{ await new Promise(() => 0); }}"
    assert "waits for something that never happens" in await refused(script=script)


async def test_a_script_needs_a_compiler(refused: Refused) -> None:
    message = "it does not define a compileJob(job) function (test.js)"
    assert await refused(script=JOB_TYPE) == message
    assert await refused(script=f"{JOB_TYPE}let compileJob = 1;") == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            f"{TASK} const b = author.Task('b', 'misc'); a.addDependency(b); job.addTask(a);",
            "test.js: task 'a' depends on 'b', which is no task of this job;"
            " add it with job.addTask",
        ),
        (
            f"{TASK} const b = author.Task('b', 'misc'); b.addDependency(a); b.addDependency(a);"
            " job.addTask(a); job.addTask(b);",
            "test.js: task 'b' depends twice on 'a'",
        ),
        (f"{TASK} job.addTask(a); job.addTask(a);", "test.js: task 'a' was added twice"),
        (
            f"{TASK} const b = author.Task('b', 'misc'); a.addDependency(b); b.addDependency(a);"
            " job.addTask(a); job.addTask(b);",
            "test.js: tasks wait for each other: 'a' → 'b' → 'a'",
        ),
        (
            f"{TASK} a.addDependency(a); job.addTask(a);",
            "test.js: tasks wait for each other: 'a' → 'a'",
        ),
        (f"{TASK} a.uUID = 'x'; job.addTask(a);", "test.js: task 'a': 'x' is no UUID"),
        (
            f"{TASK} a.type = ' '; job.addTask(a);",
            "test.js: task 'a': its type must be a text of one line",
        ),
        (
            f"{TASK} a.priority = 1e12; job.addTask(a);",
            "test.js: task 'a': its priority is too large: 1000000000000",
        ),
        ("job.name = ' ';", "test.js: the job needs a name"),
        ("job.tasks = 5;", "TypeError: job.tasks must be a list (test.js)"),
        (
            "job.settings = 'x';",
            "test.js: this is no job: Expected `object`, got `str` - at `$.job.settings`",
        ),
        (f"{TASK} job.addTask({{name: 'x', type: 'y'}});", "test.js: task 'x': '' is no UUID"),
    ],
)
async def test_a_job_that_makes_no_sense_is_refused(
    refused: Refused, body: str, message: str
) -> None:
    assert await refused(body) == message


async def test_too_many_commands_are_refused_by_name(refused: Refused) -> None:
    body = f"{TASK} for (let i = 0; i < 4; i++) a.addCommand(author.Command('echo', {{}}));"
    message = await refused(body, limits=Settings(commands=3))
    text = 'too large: task "a" has more than 3 commands (plugins: javascript: commands)'
    assert message == f"test.js:3:67: {text}"


@pytest.mark.parametrize(
    "name", ["../secret", "a/../../secret", "/etc/passwd", "./../secret", "..", "a\\\\..\\\\b"]
)
async def test_require_does_not_leave_the_folder(refused: Refused, name: str) -> None:
    message = await refused(f"require('{name}')", libraries={"secret.js": "exports.a = 1"})
    assert "only files in the folder of the scripts can be used" in message


async def test_what_a_script_printed_before_it_failed_is_logged(
    refused: Refused, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await refused("print('so far'); throw 'no further';")
    assert "test.js: so far" in caplog.messages


async def test_the_limit_of_tasks_is_a_limit(compiled: Compile, refused: Refused) -> None:
    body = "for (let i = 0; i < job.priority; i++) job.addTask(author.Task('a' + i, 'misc'));"
    limits = Settings(tasks=3)
    assert len((await compiled(body, limits=limits, priority=3)).tasks) == 3
    message = await refused(body, limits=limits, priority=4)
    assert (
        message
        == "test.js:3:44: too large: it makes more than 3 tasks (plugins: javascript: tasks)"
    )
