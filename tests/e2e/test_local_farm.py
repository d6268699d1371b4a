"""A farm on one machine, driven through the command line only."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.e2e

FLAMENCO = [sys.executable, "-m", "flamenco_core.cli"]


class Shell:
    """Runs ``flamenco`` for one farm."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, *args: object, code: int = 0) -> str:
        command = [*FLAMENCO, *map(str, args), "--manager", self.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def json(self, *args: object):
        return json.loads(self(*args, "--json"))


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    folder = tmp_path_factory.mktemp("farm")
    command = [*FLAMENCO, "farm", "--data", str(folder / "data"), "--port", "0"]
    log = (folder / "log").open("w+")
    farm = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        for line in farm.stdout:
            if line.startswith("the farm is ready at "):
                url = line.removeprefix("the farm is ready at ").partition(";")[0]
                break
        else:
            pytest.fail((folder / "log").read_text())
        yield Shell(url)
    finally:
        farm.send_signal(signal.SIGTERM)
        farm.communicate(timeout=60)
        log.close()
    assert farm.returncode == 128 + signal.SIGTERM


@pytest.fixture
def submit(shell, tmp_path):
    """Submit an echo-sleep-test; return the id of the job."""

    def submit(*more: object, code: int = 0) -> str:
        file = tmp_path / "nothing.blend"
        file.touch()
        args = ("--type", "echo-sleep-test", "--set", "message=hello there", *more)
        shell("submit", file, *args, code=code)
        return max(shell.json("jobs"), key=lambda job: job["created"])["id"]

    return submit


def test_a_job_runs_to_its_end(shell, submit):
    job = submit("--set", "sleep_duration_seconds=0", "--wait")
    assert shell.json("jobs", "show", job)["status"] == "completed"
    tasks = shell.json("tasks", job[:8])
    assert {task["status"] for task in tasks} == {"completed"}
    assert "hello there" in shell("log", f"{job}/1", "--follow")
    assert "hello there" in shell("log", tasks[0]["id"], "--tail")


def test_a_paused_job_waits_for_a_requeue(shell, submit):
    job = submit("--paused", "--set", "sleep_repeats=0")
    assert shell.json("jobs", "show", job)["status"] == "paused"
    shell("requeue", job)
    shell("log", f"{job}/1", "--follow")
    assert shell.json("tasks", job)[0]["status"] == "completed"


def test_a_canceled_job_ends(shell, submit):
    job = submit("--paused")
    shell("cancel", job, "--reason", "not today")
    assert shell.json("jobs", "show", job)["status"] == "canceled"


def test_the_farm_is_listed(shell):
    assert [worker["status"] for worker in shell.json("workers")] == ["awake"]
    assert "echo-sleep-test" in shell("job-types")
    assert "echo_sleep_test" in shell("plugins", "--remote")


def test_what_is_not_there_is_an_error(shell):
    shell("jobs", "show", "ffffffff-ffff-4fff-8fff-ffffffffffff", code=1)
    shell("submit", __file__, "--type", "nothing", code=1)
