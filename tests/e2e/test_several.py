"""Two Managers on one PostgreSQL: real processes, and one of them is killed."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

pytestmark = pytest.mark.postgresql


class Follower:
    """A client that follows the events of one Manager, as a browser does."""

    def __init__(self, url: str) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.is_over = threading.Event()
        self._ready = threading.Event()
        threading.Thread(target=self._follow, args=[url], daemon=True).start()
        assert self._ready.wait(20)

    def _follow(self, url: str) -> None:
        name = ""
        try:
            with httpx.stream("GET", f"{url}/api/v3/events", timeout=60, trust_env=False) as told:
                for line in told.iter_lines():
                    key, _, value = line.partition(": ")
                    if value == "welcome":
                        self._ready.set()
                    elif key == "event":
                        name = value
                    elif key == "data":
                        self.heard.append((name, json.loads(value)))
        except httpx.TransportError:
            pass
        self.is_over.set()

    def statuses(self, job: str) -> list[str]:
        return [body["status"] for name, body in self.heard if name == "job" and body["id"] == job]

    def workers_of_tasks(self) -> set[str]:
        tasks = [body for name, body in self.heard if name == "task"]
        return {task["worker"]["name"] for task in tasks if task.get("worker")}

    def logged(self) -> set[str]:
        return {body["task_id"] for name, body in self.heard if name == "log"}


class Pair:
    """A farm with two Managers; ``farm`` asks the one that is to survive."""

    def __init__(self, farm: Any, database: str, port: int) -> None:
        self.farm, self.database = farm, database
        self.survivor_url = farm.url
        self.survivor = farm.manager("--database", database)
        farm.url, farm.port = f"http://127.0.0.1:{port}", port
        self.victim_url = farm.url
        self.victim = farm.manager("--database", database)

    def worker(self, name: str, *urls: str, **env: str) -> Any:
        self.farm.url = ",".join(urls)
        return self.farm.worker(name, **env)

    def rows(self, query: str) -> list[Any]:
        with psycopg.connect(self.database.replace("+psycopg", "")) as connection:
            return connection.execute(query).fetchall()  # type: ignore[call-overload]

    def judge(self, tasks: int) -> None:
        """Nothing was lost, and nothing counts twice."""
        done = Counter(
            task for (task,) in self.rows("SELECT task_id FROM attempts WHERE outcome='completed'")
        )
        assert len(done) == tasks
        assert set(done.values()) == {1}
        assert self.rows("SELECT count(*) FROM attempts WHERE ended_at IS NULL") == [(0,)]
        counters = "status, tasks_completed, steps_completed = steps_total"
        assert self.rows(f"SELECT {counters} FROM jobs") == [("completed", tasks, True)]


@pytest.fixture
def pair(farm: Any, postgresql_url: str, poll: Callable[..., Any]) -> Pair:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Both at once, on an empty database: they must not get into each other's migration.
    pair = Pair(farm, postgresql_url, port)
    for program in (pair.survivor, pair.victim):
        poll(lambda program=program: "the Manager is ready" in program.said(), 60, program.said)
    for program in (pair.survivor, pair.victim):
        poll(lambda program=program: "there is another Manager" in program.said(), 20)
        assert "WARNING" not in program.said()
    return pair


def test_when_a_manager_is_killed_its_worker_goes_on_with_the_other(pair, farm, poll) -> None:
    blender = {"FLAMENCO_BLENDER": farm.fake_blender(seconds=0.2)}
    both = (pair.victim_url, pair.survivor_url)
    pair.worker("alfa", *both, **blender)
    pair.worker("beta", *both[::-1], **blender)
    farm.ready(workers=2)
    followers = [Follower(url) for url in both]
    job = farm.submit("1-24")
    for follower in followers:
        poll(lambda follower=follower: follower.workers_of_tasks() == {"alfa", "beta"}, 20)
        poll(lambda follower=follower: len(follower.logged()) >= 2, 20)
        assert follower.statuses(job)[:2] == ["queued", "active"]
    # In the middle of renders of both.
    before = len(farm.noted("start"))
    poll(lambda: len(farm.noted("start")) >= before + 2)
    pair.victim.kill()
    assert followers[0].is_over.wait(10)
    farm.until_status(job, "completed")
    pair.judge(tasks=24)
    assert "overlap" not in {what for what, _ in farm.noted()}
    by = dict(
        pair.rows(
            "SELECT name, count(*) FROM attempts JOIN workers ON workers.id = worker_id"
            " WHERE outcome = 'completed' GROUP BY name"
        )
    )
    assert by["alfa"] >= 6, "alfa went on with the other Manager"
    assert by["beta"] >= 6
    assert pair.rows("SELECT count(*) FROM attempts WHERE outcome = 'lost'") == [(0,)]
    poll(lambda: followers[1].statuses(job)[-1:] == ["completed"])
    assert "died" in pair.survivor.said()
    assert not re.search(r"\bERROR\b", pair.survivor.said())
    # It comes back, and is one of them again.
    pair.victim.start()
    poll(lambda: pair.survivor.said().count("there is another Manager") == 2, 30)


def test_what_a_lost_worker_held_is_finished_in_time(pair, farm, poll) -> None:
    lost = pair.worker("lost", pair.victim_url, FLAMENCO_BLENDER=farm.fake_blender(seconds=600))
    farm.ready(workers=1)
    job = farm.submit("1-4")
    poll(lambda: farm.noted("start"))
    pair.worker("beta", pair.survivor_url, FLAMENCO_BLENDER=farm.fake_blender(seconds=0.1))
    poll(lambda: len(farm.noted("end")) == 3)
    pair.victim.kill()
    killed = time.monotonic()
    # It knows of no other Manager, so it is not heard of any more. Four missed heartbeats
    # of a second each, counted from when the other Manager has the duty.
    farm.until_status(job, "completed", seconds=20)
    print(f"the job was completed {time.monotonic() - killed:.1f} s after the kill")
    assert time.monotonic() - killed < 12
    pair.judge(tasks=4)
    outcomes = Counter(o for (o,) in pair.rows("SELECT outcome FROM attempts"))
    assert outcomes == {"completed": 4, "lost": 1}
    lost.kill()
