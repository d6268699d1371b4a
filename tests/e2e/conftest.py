"""A farm of real processes, and a Blender that is quick and keeps a history."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from flamenco_core import platform
from flamenco_core.testing.answers import watch_response
from flamenco_core.worker.process import HOME_MARK, LEASE_MARK

T = TypeVar("T")

FLAMENCO = (sys.executable, "-m", "flamenco_core.cli")
# What has no file here comes first: it was there before there was an order.
ORDER = ("test_wheels", "test_stop", "test_kill", "test_demo")
# As quick as they go: these tests are about what happens, not about how long it takes.
QUICK = {
    "FLAMENCO_TIMINGS__HEARTBEAT": "1",
    "FLAMENCO_TIMINGS__LOG_CHUNK": "0.1",
    "FLAMENCO_TIMINGS__RETRY_PAUSE": "0.05",
    "FLAMENCO_TIMINGS__RETRY_PAUSE_LONGEST": "0.2",
}

FAKE_BLENDER = r"""#!{python} -IS
import fcntl, os, subprocess, struct, sys, time, zlib
if "--version" in sys.argv:
    sys.exit(print("Blender 9.9.9"))
mode = {mode!r}
lease = os.environ["FLAMENCO_TASK_LEASE"]

def note(what):
    line = f"{{what}} {{lease}} {{os.getpid()}}\n".encode()
    file = os.open({history!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line)
    os.close(file)

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def png(shade):
    head = struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes([shade] * 16)) * 16)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")

output = sys.argv[sys.argv.index("--render-output") + 1]
first, _, last = sys.argv[sys.argv.index("--render-frame") + 1].partition("..")
os.makedirs(os.path.dirname(output), exist_ok=True)
lock = open(f"{{output}}.{{lease[:36]}}.lock", "w")
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    note("overlap")
note("start")
print("run", lease, os.getpid(), flush=True)
if mode == "stubborn":
    subprocess.Popen(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"])
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note("stubborn")
for frame in range(int(first), int(last or first) + 1):
    path = output.replace("######", f"{{frame:06}}") + ".png"
    while mode == "stubborn":
        time.sleep(10)
    if os.path.exists(path):
        continue
    print(f"Fra:{{frame}} Mem:9.99M", flush=True)
    time.sleep({seconds!r})
    with open(path, "wb") as file:
        file.write(png(frame % 200))
    note(f"frame-{{frame}}")
    print(f"Saved: '{{path}}'\nTime: 00:00.10 (Saving: 00:00.00)", flush=True)
note("end")
"""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files of this folder in order, the fast ones first."""
    here = Path(__file__).parent
    places = [place for place, item in enumerate(items) if item.path.parent == here]
    stems = {name: number for number, name in enumerate(ORDER, 1)}
    ours = sorted((items[p] for p in places), key=lambda item: stems.get(item.path.stem, 0))
    for place, item in zip(places, ours, strict=True):
        items[place] = item


def until(
    found: Callable[[], T], seconds: float = 30.0, what: object = "", every: float = 0.01
) -> T:
    """Return what *found* finds, as soon as it does."""
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        pause.wait(every)
    return result


class Program:
    """A program of a farm; it can be started again."""

    def __init__(self, argv: Sequence[str], env: dict[str, str], log: Path) -> None:
        self.argv, self.env, self.log = argv, env, log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Program:
        assert self.process is None or self.process.poll() is not None
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.argv, env=self.env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        return self

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, seconds: float = 30.0) -> int:
        assert self.process is not None
        return self.process.wait(seconds)

    def kill(self) -> None:
        """End it as a power cut would, at once."""
        self.signal(signal.SIGKILL)
        self.wait()

    def end(self) -> int:
        """End it politely; return its exit code."""
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Farm:
    """A Manager and Workers on this machine, everything below one folder."""

    def __init__(self, folder: Path, flamenco: Sequence[str] = FLAMENCO) -> None:
        self.folder = folder
        self.flamenco = tuple(flamenco)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.shared = folder / "shared"
        self.shared.mkdir(parents=True)
        self.history = folder / "history"
        # A line for each question would bury what a failed test has to say.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        hooks = {"response": [watch_response]}
        self.http = httpx.Client(base_url=self.url, timeout=10, trust_env=False, event_hooks=hooks)
        self.programs: list[Program] = []

    # -- programs

    def manager(self, *more: str) -> Program:
        arguments = ("--data", str(self.folder / "manager"), "--shared", str(self.shared))
        listen = ("--listen", f"127.0.0.1:{self.port}")
        env = {"FLAMENCO_AUTODISCOVERABLE": "false"}
        return self._program("manager", *arguments, *listen, *more, log="manager", env=env)

    def worker(self, name: str = "alfa", **env: str) -> Program:
        env = {"FLAMENCO_HOME": str(self.folder / name), **QUICK, **env}
        arguments = ("--name", name, "--manager", self.url)
        return self._program("worker", *arguments, log=name, env=env)

    def _program(self, *arguments: str, log: str, env: dict[str, str]) -> Program:
        log_file = self.folder / f"{log}-{len(self.programs)}.log"
        program = Program([*self.flamenco, *arguments], clean_environment() | env, log_file)
        self.programs.append(program)
        return program.start()

    def fake_blender(self, mode: str = "", seconds: float = 0.15) -> str:
        """Make a Blender that writes its history; return the value of FLAMENCO_BLENDER."""
        path = self.folder / f"blender-{mode or 'plain'}-{seconds}"
        text = FAKE_BLENDER.format(
            python=sys.executable, history=str(self.history), mode=mode, seconds=seconds
        )
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def clean_up(self) -> None:
        self.http.close()
        for program in self.programs:
            if program.process is not None and program.process.poll() is None:
                program.kill()
        for pid in self.renders():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    # -- what there is

    def get(self, path: str) -> Any:
        """Return what the Manager answers, or None when it is away."""
        try:
            answer = self.http.get(path)
        except httpx.TransportError:
            return None
        assert answer.status_code < 500, answer.text
        if answer.status_code != 200:
            return None
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    def ready(self, workers: int = 1) -> Farm:
        """Wait until the Manager answers and Workers are awake."""
        until(lambda: self.get("/api/v3/version"), 60, "an answer", every=0.05)
        until(lambda: self.awake() == workers, 60, "awake workers", every=0.05)
        return self

    def awake(self) -> int:
        found = (self.get("/api/v3/worker-mgt/workers") or {}).get("workers", [])
        return sum(worker["status"] == "awake" for worker in found)

    def submit(self, frames: str, blend: Path | None = None, **settings: object) -> str:
        """Submit a render job; without *blend*, for the Blender that is none."""
        values = {
            "frames": frames,
            "chunk_size": 1,
            "render_output_root": str(self.shared / "frames"),
            "add_path_components": 0,
            "render_output_path": str(self.shared / "frames" / "######"),
            "blendfile": str(blend or self.shared / "scene.blend"),
            "format": "PNG",
            "image_file_extension": ".png",
            "scene": "Scene",
            **settings,
        }
        return self.post_job("simple-blender-render", values)

    def post_job(self, kind: str, settings: dict[str, object]) -> str:
        job = {"name": "job", "type": kind, "submitter_platform": platform.go_os()}
        answer = self.http.post("/api/v3/jobs", json=job | {"settings": settings})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def job(self, job: str) -> Any:
        return self.get(f"/api/v3/jobs/{job}")

    def tasks(self, job: str) -> list[Any]:
        return (self.get(f"/api/v3/jobs/{job}/tasks") or {}).get("tasks", [])

    def log_of(self, job: str, task: str) -> str:
        return self.get(f"/job-files/job-{job[:4]}/{job}/task-{task}.txt") or ""

    def until_status(self, job: str, status: str, seconds: float = 60.0) -> None:
        def reached() -> bool:
            now = self.job(job)
            assert not now or now["status"] in (status, "active", "queued"), now
            return bool(now) and now["status"] == status

        until(reached, seconds, status, every=0.1)

    def noted(self, word: str = "") -> list[tuple[str, str]]:
        """Return what the fake Blender has noted, as (what, lease)."""
        lines = self.history.read_text().splitlines() if self.history.exists() else []
        split = [line.split(" ") for line in lines]
        return [(what, lease) for what, lease, _ in split if what.startswith(word)]

    def frames(self) -> list[Path]:
        return sorted((self.shared / "frames").glob("*.png"))

    def renders(self) -> list[int]:
        """Return the processes that run for a task of this farm's Workers."""
        return [pid for pid, env in environments() if is_render(env, str(self.folder))]


def is_render(env: dict[str, str], folder: str) -> bool:
    return LEASE_MARK in env and env.get(HOME_MARK, "").startswith(f"{folder}/")


def environments() -> Iterator[tuple[int, dict[str, str]]]:
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            parts = (process / "environ").read_bytes().decode(errors="replace").split("\0")
            yield int(process.name), dict(part.split("=", 1) for part in parts if "=" in part)


def clean_environment() -> dict[str, str]:
    """Return our environment without what tells Flamenco anything, but for its programs."""
    kept = {"FLAMENCO_BLENDER", "FLAMENCO_FFMPEG"}
    return {k: v for k, v in os.environ.items() if not k.startswith("FLAMENCO_") or k in kept}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session", autouse=True)
def interrupts() -> None:
    """Let programs hear SIGINT, even where a shell runs the tests in its background.

    Such a shell has it ignored, and whoever is started there inherits that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    farm = Farm(tmp_path / "farm")
    yield farm
    farm.clean_up()


@pytest.fixture(scope="module")
def make_farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Farm]]:
    """Make farms that live as long as the tests of a file."""
    farms: list[Farm] = []

    def make(**more: Any) -> Farm:
        farms.append(Farm(tmp_path_factory.mktemp("farm") / "farm", **more))
        return farms[-1]

    yield make
    for farm in farms:
        farm.clean_up()


@pytest.fixture(scope="session")
def poll() -> Callable[..., Any]:
    """The waiting of this folder: for a condition, never for a time."""
    return until
