"""The commands that ship inside keep the contract of commands."""

from __future__ import annotations

from typing import Any

from flamenco_core.builtin.files import CopyFile, MakeDirectory, MoveDirectory
from flamenco_core.builtin.misc import Echo, Exec, Sleep
from flamenco_core.testing import CommandContract, Record
from flamenco_core.testing.command_contract import CommandContract as Same


class TestEcho(CommandContract):
    command = Echo
    parameters = {"message": "hello"}


class TestSleep(CommandContract):
    command = Sleep
    parameters = {"duration_in_seconds": 3}


class TestExec(CommandContract):
    command = Exec
    parameters = {"exe": "blender", "args": ["-f", 24]}


class TestCopyFile(CommandContract):
    command = CopyFile
    parameters = {"src": "/a", "dest": "/b"}


class TestMoveDirectory(CommandContract):
    command = MoveDirectory
    parameters = {"src": "a", "dest": "b"}


class TestMakeDirectory(CommandContract):
    command = MakeDirectory
    parameters = {"path": "a"}


def test_the_suite_is_found_where_the_docs_say() -> None:
    assert CommandContract is Same


async def test_a_record_lets_others_answer_for_programs() -> None:
    seen: list[str] = []
    record = Record(answers=lambda argv: [f"output of {argv[0]}"])

    async def on_line(line: str) -> None:
        seen.append(line)

    await record.execute(["blender", "-b"], on_line=on_line, env={"A": "1"}, cwd="/tmp")
    assert record.lines == seen == ["output of blender"]
    assert record.executed[0].argv == ("blender", "-b")
    assert record.executed[0].env == {"A": "1"}


async def test_a_record_has_all_that_a_run_has() -> None:
    from flamenco_core import Run

    run: Run = Record()
    await run.activity("x")
    await run.step(2)
    await run.output("/a.png")
    await run.output("/b.png", frame=7)
    record: Any = run
    assert (record.activities, record.steps) == (["x"], 2)
    assert (record.outputs, record.frames) == (["/a.png", "/b.png"], [None, 7])
