"""A Manager that may not open many files, and somebody who opens all the connections it has."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="reference data: Windows has no limit of files"
)

SERVE = """
import logging, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 256))
logging.basicConfig(level=logging.INFO)
from flamenco_core.config import Duration
from flamenco_core.manager import ManagerSettings, create_manager
from flamenco_core.manager.limits import Limits
from flamenco_core.manager.server import serve, serving
folder = Path(sys.argv[1])
serving.RESERVE = int(sys.argv[2])
settings = ManagerSettings(
    database=str(folder / "farm.sqlite"), local_manager_storage_path=folder / "local",
    shared_storage_path=str(folder), autodiscoverable=False,
    limits=Limits(header_timeout=Duration.of(float(sys.argv[3]))),
)
app = create_manager(settings, discover=False)
serve(app, "127.0.0.1", 0, lambda url: print(url, flush=True))
"""


@contextlib.contextmanager
def manager(folder: Path, reserve: int, patience: float) -> Iterator[tuple[str, Path]]:
    log = folder / "log"
    with log.open("w") as file:
        command = [sys.executable, "-c", SERVE, str(folder), str(reserve), str(patience)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), log
    finally:
        process.terminate()
        assert process.wait(20) == 0
        process.stdout.close()


def half_open(url: str, stack: contextlib.ExitStack) -> None:
    host, port = url.removeprefix("http://").split(":")
    line = stack.enter_context(socket.create_connection((host, int(port)), timeout=5))
    with contextlib.suppress(ConnectionError):
        line.sendall(b"GET / HTTP/1.1\r\nHost: local")


# With no files in reserve, the system itself refuses connections before the Manager does.
@pytest.mark.parametrize("reserve", [100, 0])
def test_those_who_are_there_are_served_and_others_later(tmp_path: Path, reserve: int) -> None:
    body = {"name": "w", "platform": "linux", "secret": "s", "supported_task_types": ["misc"]}
    with (
        manager(tmp_path, reserve, 2.0) as (url, log),
        httpx.Client(base_url=f"{url}/api/v3/worker/", timeout=5) as worker,
        contextlib.ExitStack() as stack,
    ):
        id = worker.post("register-worker", json=body).json()["uuid"]
        worker.post("state-changed", json={"status": "awake"}, auth=(id, "s"))
        before = len(log.read_text().splitlines())
        for _ in range(400):
            half_open(url, stack)
        for _ in range(50):
            answer = worker.post("task", auth=(id, "s"))
            assert answer.status_code == 204
        wait_for_version(url)
        said = log.read_text().splitlines()[before:]
        refused = [line for line in said if re.search("refused|out of system resource", line)]
        assert len(refused) == (1 if reserve else 0)  # libuv closes them without a word
        assert len(said) <= 10


def wait_for_version(url: str) -> None:
    end = time.monotonic() + 15
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/api/v3/version", timeout=1).status_code == 200:
                return
        assert time.monotonic() < end, "it does not recover"
