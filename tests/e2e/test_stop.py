"""Managers and Workers that are asked to stop, and those that cannot start."""

from __future__ import annotations

import signal
import time

import pytest

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif("sys.platform != 'linux'", reason="finds processes through /proc"),
]


@pytest.fixture(scope="module")
def farm(make_farm, poll):
    farm = make_farm()
    farm.manager()
    poll(lambda: farm.get("/api/v3/version"), what=farm.programs[0].said)
    return farm


@pytest.fixture
def stubborn(farm, poll, request):
    """A Worker whose Blender does not want to end, and the task that it is at."""
    name = f"stubborn-{len(farm.programs)}"
    grace = getattr(request, "param", "2")
    home = {
        "FLAMENCO_BLENDER": farm.fake_blender("stubborn"),
        "FLAMENCO_TIMINGS__STOP_GRACE": grace,
    }
    before = len(farm.noted("stubborn"))
    worker = farm.worker(name, **home)
    job = farm.submit("1")
    poll(lambda: len(farm.noted("stubborn")) > before)
    # Blender, its shell and what that sleeps, and what has left Blender's session.
    poll(lambda: len(farm.renders()) >= 4)
    yield worker, lambda: farm.tasks(job)[0]["status"]
    if worker.process.poll() is None:
        worker.signal(signal.SIGTERM)
        worker.end()
    farm.http.post(f"/api/v3/jobs/{job}/setstatus", json={"status": "canceled", "reason": "done"})


class Seconds:
    """How long something takes."""

    def __enter__(self):
        self.start = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.start


def test_a_worker_that_stops_ends_its_renders_and_gives_its_task_back(farm, stubborn):
    worker, status = stubborn
    assert status() == "active"
    with Seconds() as took:
        assert worker.end() == 1
    assert took.seconds < 2 + 2  # the grace of its programs, and its own leave
    assert farm.renders() == []
    assert status() == "queued"


@pytest.mark.parametrize("stubborn", ["15"], indirect=True, ids=["grace of 15 s"])
def test_a_second_signal_does_not_wait(farm, stubborn, poll):
    worker, status = stubborn
    worker.signal(signal.SIGTERM)
    poll(lambda: len(farm.renders()) > 1)
    with Seconds() as took:
        assert worker.end() == 1
    assert took.seconds < 5
    assert farm.renders() == []
    assert status() in ("active", "queued")


def test_a_manager_does_not_wait_for_those_who_listen(make_farm, poll):
    farm = make_farm()
    manager = farm.manager()
    worker = farm.worker()
    farm.ready()
    with farm.http.stream("GET", "/api/v3/events") as events:
        lines = events.iter_lines()
        assert next(lines)
        with Seconds() as took:
            assert manager.end() == 0
        assert took.seconds < 2
        # It says good-bye: whoever listens knows that this is no broken line.
        said = [*lines]
        assert "event: lifecycle" in said, said
    assert "ERROR" not in manager.said()
    assert "Traceback" not in manager.said()
    assert worker.process.poll() is None
    manager.start()
    farm.ready()
    assert worker.end() == 1
    assert manager.end() == 0


def test_a_second_manager_on_the_same_database_does_not_start(farm, make_farm):
    other = make_farm()
    data = farm.folder / "manager"
    with Seconds() as took:
        second = other.manager("--data", str(data))
        assert second.wait(20) == 1
    assert took.seconds < 10  # it is the imports that take so long, not the lock
    line = second.said().strip().splitlines()[-1]
    assert f"another Manager uses {data / 'flamenco-manager.sqlite'}" in line
    assert "stop it, or set another 'database:'" in line
    assert farm.get("/api/v3/version")


def test_a_second_manager_on_the_same_port_does_not_start(farm, make_farm):
    other = make_farm()
    second = other.manager("--listen", f"127.0.0.1:{farm.port}")
    assert second.wait(20) == 1
    (line,) = second.said().strip().splitlines()
    assert f"cannot listen on 127.0.0.1:{farm.port}" in line
    assert "set another 'listen:'" in line


def test_a_second_worker_in_the_same_home_does_not_start(farm, stubborn):
    home = farm.programs[-1].env["FLAMENCO_HOME"]
    second = farm.worker("second", FLAMENCO_HOME=home)
    assert second.wait(20) == 1
    (line,) = second.said().strip().splitlines()
    assert home in line
    assert "FLAMENCO_HOME" in line
    # Above all it has not taken the first one's renders for what an earlier run left.
    assert farm.renders()
