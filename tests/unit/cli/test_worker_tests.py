"""Try out a machine here, or a worker of the farm."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

ALFA = "aaaaaaaa-cccc-4ccc-8ccc-cccccccccccc"
TEST = f"/worker-mgt/workers/{ALFA}/test"
TIME = "2026-04-01T10:00:00.120000Z"


def a_test(status: str, *trials: dict[str, Any], **rest: Any) -> dict[str, Any]:
    known = {"id": "t", "worker_id": ALFA, "worker_name": "Alfa", "asked_at": TIME}
    return known | {"status": status, "trials": [*trials]} | rest


def a_trial(name: str, status: str, message: str, **rest: Any) -> dict[str, Any]:
    known = {"name": name, "task_type": name, "status": status, "message": message, "log": ""}
    return known | rest


@pytest.fixture
def results(farm: Any) -> list[dict[str, Any]]:
    """What the Manager says of the test, one after the other; the last one for ever."""
    alfa = {"id": ALFA, "name": "Alfa", "status": "awake", "version": "1", "can_restart": True}
    farm.workers = [alfa]
    found: list[dict[str, Any]] = []
    farm.more[f"POST {TEST}"] = lambda: found[0]
    farm.more[f"GET {TEST}"] = lambda: found.pop(0) if len(found) > 1 else found[0]
    farm.more[f"DELETE {TEST}"] = lambda: None
    return found


# -- a worker of the farm ----------------------------------------------------------------------


def test_it_waits_for_the_results_and_says_what_for(flamenco: Any, results: Any) -> None:
    results += [
        a_test("queued", waits_for="the end of its present task"),
        a_test("queued", waits_for="the end of its present task"),
        a_test("active"),
        a_test("passed", a_trial("blender", "passed", "rendered", seconds=2.25, version="4.2")),
    ]
    outcome = flamenco("workers", "test", "alfa")
    assert outcome.code == 0
    assert outcome.err == "Alfa (waits for the end of its present task)\n"
    first, columns, row = outcome.out.splitlines()
    assert first.startswith("Alfa: ok (asked for ")
    assert columns.split() == ["WHAT", "RESULT", "SECONDS", "VERSION", "DETAILS"]
    assert row.split() == ["blender", "ok", "2.2", "4.2", "rendered"]


def test_a_failure_is_an_exit_code_and_a_log(flamenco: Any, results: Any) -> None:
    results += [a_test("failed", a_trial("ffmpeg", "failed", "exit code 1", log="no h264"))]
    outcome = flamenco("workers", "test", "alfa", "--log")
    assert outcome.code == 1
    assert "log of ffmpeg:\nno h264\n" in outcome.out


def test_one_that_does_not_come_is_left_alone_after_a_while(flamenco: Any, results: Any) -> None:
    results += [a_test("queued", waits_for="the worker to be awake; it is asleep")]
    outcome = flamenco("workers", "test", "alfa", "--timeout", "0.05")
    assert outcome.code == 1
    assert "within 0.05 seconds (waits for the worker to be awake" in outcome.err


@pytest.mark.parametrize(
    ("option", "told"), [("--show", []), ("--withdraw", ["DELETE"]), ("--no-wait", ["POST"])]
)
def test_one_can_only_look_withdraw_or_go(
    flamenco: Any, farm: Any, results: Any, option: str, told: list[str]
) -> None:
    results += [a_test("queued")]
    assert flamenco("workers", "test", "alfa", option, "--json").json["status"] == "queued"
    assert [path.split()[0] for path, _ in farm.told] == [*told, "GET"]


def test_the_picture_is_put_where_one_wants_it(
    flamenco: Any, farm: Any, results: Any, tmp_path: Path
) -> None:
    results += [
        a_test("passed", a_trial("blender", "passed", "", picture=f"/api/v3{TEST}/blender/picture"))
    ]
    farm.more[f"GET {TEST}/blender/picture"] = lambda: "pixels"
    flamenco("workers", "test", "alfa", "--picture", tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes() == b'"pixels"'
    results[0]["trials"][0].pop("picture")
    assert (
        "nothing was rendered"
        in flamenco("workers", "test", "alfa", "--picture", tmp_path / "x.png").err
    )


def test_an_unknown_worker_says_where_to_look(flamenco: Any, results: Any) -> None:
    outcome = flamenco("workers", "test", "zoe")
    assert outcome.code == 1
    assert "there is no worker 'zoe'; 'flamenco workers' lists them" in outcome.err


# -- this machine ------------------------------------------------------------------------------

PLUGIN = """
from pathlib import Path
from flamenco_core import FlamencoError, hookimpl
from flamenco_core.offers import CommandToRun, Trial
PNG = __import__("base64").b64decode("{png}")

def commands(folder):
    return [CommandToRun(name="echo", parameters={{"message": "Painter 7 {{blender}}"}})]

def prove(folder):
    (folder / "p.png").write_bytes(PNG)
    return "painted"

def fail(folder):
    raise FlamencoError("no paint; buy some")

@hookimpl
def register_trials():
    how = {{"task_type": "misc", "commands": commands}}
    return [
        Trial(name="paint", prove=prove, picture="p.png", version=r"Painter (\\d+)", **how),
        Trial(name="dry", prove={dry}, **how),
        Trial(name="other", task_type="other", commands=commands),
    ]
"""


@pytest.fixture
def machine(tmp_path: Path) -> Any:
    """Options of a Worker with trials of its own."""
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o700)
    blocked = "blocked: [blender, ffmpeg, trials]\nworker_name: me\n"
    config = tmp_path / "flamenco-worker.yaml"
    config.write_text(f"{blocked}plugins_dir: {folder}\nhome: {tmp_path / 'home'}\n")

    def make(dry: str) -> list[str]:
        png = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
        (folder / "painting.py").write_text(PLUGIN.format(png=png, dry=dry))
        return ["worker", "--config", str(config), "check"]

    return make


def test_a_machine_that_can_do_all_it_says(flamenco: Any, machine: Any, tmp_path: Path) -> None:
    outcome = flamenco(*machine("prove"), "--storage", tmp_path)
    rows = {line.split()[0]: line.split()[1:] for line in outcome.out.splitlines()}
    assert outcome.code == 0
    assert rows["ready"][0] == rows["disk"][0] == rows["dry"][0] == "ok"
    assert (rows["paint"][0], rows["paint"][2:]) == ("ok", ["7", "painted"])
    assert rows["other"][0] == "skipped"
    picture = Path(rows["picture:"][0])
    assert picture == tmp_path / "home" / "check" / "paint.png"
    assert picture.read_bytes() == b"\x89PNG\r\n\x1a\n"
    assert not [*tmp_path.glob(".worker-check-*")]


def test_one_that_cannot_ends_with_1_and_does_the_rest(flamenco: Any, machine: Any) -> None:
    outcome = flamenco(*machine("fail"), "--json")
    found = {one["name"]: one for one in outcome.json}
    assert outcome.code == 1
    assert (found["dry"]["status"], found["dry"]["message"]) == ("failed", "no paint; buy some")
    assert found["paint"]["status"] == "passed"
    assert "--log" not in outcome.err


def test_the_log_of_what_failed_is_shown_on_request(flamenco: Any, machine: Any) -> None:
    outcome = flamenco(*machine("fail"), "--log")
    assert 'log of dry:\necho: "Painter 7 blender"\n' in outcome.out
    assert "log of paint" not in outcome.out


def test_a_folder_that_is_not_there_is_a_wrong_command_line(flamenco: Any, machine: Any) -> None:
    outcome = flamenco(*machine("prove"), "--storage", "/not/there")
    assert outcome.code == 2
    assert "'/not/there' does not exist" in outcome.err
