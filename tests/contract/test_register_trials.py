from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flamenco_core.builtin import trials
from flamenco_core.errors import DuplicateName, FlamencoError
from flamenco_core.offers import CommandToRun, Trial


def test_the_example_says_what_to_run_and_what_must_come_of_it(
    load: Any, example: Any, tmp_path: Path
) -> None:
    plugins = load("manager", example("register_trials"))
    trial = plugins.registered("register_trials", host=None)["oiio"]
    (command,) = trial.commands("/storage/x")
    assert command.parameters["args"][-1] == "/storage/x/checker.png"
    with pytest.raises(FlamencoError, match="no picture"):
        trial.prove(tmp_path)
    (tmp_path / "checker.png").touch()
    assert trial.prove(tmp_path) == "made a picture"


def test_two_of_one_name_stop_the_start(load: Any, implementing: Any) -> None:
    def offering(name: str) -> Any:
        trial = Trial(name="oiio", task_type="misc", commands=lambda _: [])
        return implementing(name, register_trials=lambda: [trial])

    with pytest.raises(DuplicateName, match="oiio"):
        load("manager", offering("a"), offering("b")).registered("register_trials", host=None)


def test_one_that_says_nothing_else_needs_nothing_and_proves_nothing(tmp_path: Path) -> None:
    trial = Trial(name="x", task_type="misc", commands=lambda _: [])
    trial.prepare(tmp_path)
    assert (trial.prove(tmp_path), [*tmp_path.iterdir()]) == ("", [])


# -- the built-in one ------------------------------------------------------------------------


@pytest.fixture
def files() -> Trial:
    (trial,) = trials.register_trials()
    return trial


async def test_a_worker_passes_the_trial_of_files(
    files: Trial, run_command: Any, tmp_path: Path
) -> None:
    files.prepare(tmp_path)
    for command in files.commands(str(tmp_path)):
        await run_command(command.name, command.parameters, plugins=[])
    assert files.prove(tmp_path) == "made a folder, copied and moved a file"


def test_a_worker_with_another_storage_is_found_out(files: Trial, tmp_path: Path) -> None:
    files.prepare(tmp_path)
    with pytest.raises(FlamencoError, match="the same one for the worker"):
        files.prove(tmp_path)


def test_a_share_that_mangles_files_is_found_out(files: Trial, tmp_path: Path) -> None:
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "copy.txt").write_bytes(trials.TEXT.replace(b"\n", b"\r\n"))
    with pytest.raises(FlamencoError, match="not what was written"):
        files.prove(tmp_path)


# -- on a machine ----------------------------------------------------------------------------


def saying(text: str) -> Trial:
    return Trial(
        name="speech",
        task_type="misc",
        commands=lambda _: [CommandToRun(name="echo", parameters={"message": text})],
        version=r"Speaker (\S+?)\"",
    )


async def test_its_commands_run_with_the_workers_own_variables(
    implementing: Any, tmp_path: Path
) -> None:
    from flamenco_core.worker.app import create_worker
    from flamenco_core.worker.check import check_machine
    from flamenco_core.worker.settings import WorkerSettings

    plugin = implementing(register_trials=lambda: [saying("{blender}: Speaker 1.2")])
    settings = WorkerSettings(home=str(tmp_path / "home"))
    worker = create_worker(settings, plugins=[plugin], discover=False, strict=True).worker
    found = {one.name: one async for one in check_machine(worker)}
    assert found["speech"].log == 'echo: "blender: Speaker 1.2"'
    assert found["speech"].version == "1.2"
