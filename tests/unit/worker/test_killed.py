"""A Worker that is killed without warning."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from flamenco_core import platform
from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.testing import FakeManager, a_task
from flamenco_core.wire import converter
from flamenco_core.wire.worker import AssignedTask, TaskUpdate
from flamenco_core.worker.process import HOME_MARK

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc"),
    pytest.mark.e2e,
]

WORKER = """
import sys
import anyio
from flamenco_core.worker.app import create_worker, run_with_signals
from flamenco_core.worker.settings import Timings, WorkerSettings

settings = WorkerSettings(
    manager_url=sys.argv[1], home=sys.argv[2], worker_name="w", exec_allowed=True,
    timings=Timings(idle_pause=0.05, idle_pause_longest=0.1, log_chunk=0.05, stop_grace=1,
                    retry_pause=0.05, retry_pause_longest=0.1))
sys.exit(anyio.run(run_with_signals, create_worker(settings, discover=False)))
"""


class Farm:
    """A `FakeManager` on a real port, for Workers in processes of their own."""

    def __init__(self, home: Path) -> None:
        self.manager = FakeManager(holds=False)
        self.home = home
        self.heard = threading.Condition()
        farm = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with farm.heard:
                    answer = farm.manager.answer(
                        self.command, self.path, httpx.Headers(dict(self.headers)), body
                    )
                    farm.heard.notify_all()
                self.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name != "content-length":
                        self.send_header(name, value)
                if answer.status_code != 204:
                    self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST = answer

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.workers: list[subprocess.Popen[bytes]] = []

    def worker(self) -> subprocess.Popen[bytes]:
        arguments = [sys.executable, "-c", WORKER, self.url, str(self.home)]
        self.workers.append(subprocess.Popen(arguments))
        return self.workers[-1]

    def until(self, condition: Callable[[], object]) -> None:
        with self.heard:
            assert self.heard.wait_for(condition, timeout=20)

    def marked(self) -> list[int]:
        return platform.find_marked({HOME_MARK: str(self.home)})


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    farm = Farm(tmp_path / "home")
    thread = threading.Thread(target=farm.server.serve_forever, args=(0.01,))
    thread.start()
    yield farm
    for worker in farm.workers:
        worker.kill()
        worker.wait()
    for pid in farm.marked():
        with contextlib.suppress(OSError):
            os.kill(pid, 9)
    farm.server.shutdown()
    thread.join()
    farm.server.server_close()


def shell(script: str, uuid: str = "task-1") -> AssignedTask:
    return a_task(("exec", {"exe": "sh", "args": ["-c", script]}), uuid=uuid)


def test_a_killed_worker_leaves_no_process_after_its_restart(farm: Farm) -> None:
    farm.manager.give(shell("trap '' TERM; setsid sleep 1000 & sleep 1000 & echo here; wait"))
    worker = farm.worker()
    farm.until(lambda: "here" in farm.manager.log_of("task-1"))
    assert len(farm.marked()) == 3
    worker.kill()
    worker.wait()
    assert farm.marked()
    farm.worker()
    farm.until(lambda: farm.manager.count("sign_on") == 2)
    assert farm.marked() == []
    farm.manager.give(a_task(("echo", {"message": 1}), uuid="task-2"))
    farm.until(lambda: TaskStatus.COMPLETED in farm.manager.statuses_of("task-2"))


def test_a_killed_worker_reports_after_its_restart_what_it_could_not(farm: Farm) -> None:
    farm.manager.give(a_task(("echo", {"message": "done"}), uuid="task-1"))
    farm.manager.trouble("update", *[503] * 10_000)
    worker = farm.worker()
    farm.until(lambda: farm.manager.count("update") > 5)
    worker.kill()
    worker.wait()
    farm.manager._troubles.clear()
    farm.worker()
    farm.until(lambda: TaskStatus.COMPLETED in farm.manager.statuses_of("task-1"))
    assert farm.manager.log_of("task-1") == 'echo: "done"\n'
    assert [u.seq for _, u in farm.manager.updates] == [1, 2, 3]
    assert farm.manager.count("register") == 1


def test_sigterm_ends_a_worker_and_all_its_programs(farm: Farm) -> None:
    farm.manager.give(shell("setsid sleep 1000 & sleep 1000 & echo here; wait"))
    worker = farm.worker()
    farm.until(lambda: "here" in farm.manager.log_of("task-1"))
    worker.terminate()
    assert worker.wait(20) == 1
    assert farm.marked() == []
    assert farm.manager.calls[-1][0] == "sign_off"
    assert farm.manager.statuses_of("task-1") == [TaskStatus.ACTIVE]


def test_updates_survive_the_way_to_the_disk_and_back() -> None:
    update = TaskUpdate(taskStatus=TaskStatus.FAILED, log="ä\n", epoch=3, seq=4, log_offset=5)
    assert converter.structure(converter.unstructure(update), TaskUpdate) == update
