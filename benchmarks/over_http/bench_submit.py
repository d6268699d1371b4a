"""How long a big job takes to be compiled and stored, over HTTP.

The server is the product's own, with SQLite on disk. The job types are one in Python and a
script in JavaScript; each makes a frame per task and one task that waits for all of them.
While a job is stored, another client asks for the version: the longest it waited is shown.

    python benchmarks/submit.py [--tasks 100000] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx

from flamenco_core import Author, JobType, hookimpl, setting
from flamenco_core.config import load_settings
from flamenco_core.domain.frames import frame_numbers
from flamenco_core.manager import ManagerSettings, create_manager
from flamenco_core.manager.server import serve

PROGRAM = str(Path(__file__).resolve())
TASKS = 100_000
TARGET = 5.0
"""Seconds."""
SCRIPT = """
const JOB_TYPE = {
  label: "Frames in JavaScript",
  settings: [{key: "frames", type: "string", required: true}],
};

function compileJob(job) {
  const video = author.Task("video", "ffmpeg");
  for (const frame of frameChunker(job.settings.frames, 1)) {
    const task = author.Task("render-" + frame, "blender");
    task.addCommand(author.Command("blender-render", {
      exe: "{blender}", argsBefore: [], blendfile: "{jobs}/scene.blend",
      args: ["--render-output", "{jobs}/render/######", "--render-frame", frame],
    }));
    video.addDependency(task);
    job.addTask(task);
  }
  video.addCommand(author.Command("frames-to-video", {exe: "{ffmpeg}", fps: 24}));
  job.addTask(video);
}
"""


@attrs.frozen
class Frames(JobType):
    """A task for each frame, and one that waits for them."""

    name = "python-frames"
    label = "Frames in Python"
    frames: str = setting("1-10")

    def author(self, author: Author) -> None:
        rendered = []
        for frame in frame_numbers(self.frames):
            task = author.task(f"render-{frame}", "blender")
            arguments = ["--render-output", "{jobs}/render/######", "--render-frame", str(frame)]
            task.command("blender-render", {"blendfile": "{jobs}/scene.blend", "args": arguments})
            rendered.append(task)
        video = author.task("video", "ffmpeg").after(*rendered)
        video.command("frames-to-video", {"fps": 24})


class Plugin:
    @hookimpl
    def register_job_types(self) -> list[type[JobType]]:
        return [Frames]


def settings_in(folder: Path) -> Any:
    scripts = folder / "scripts"
    scripts.mkdir(exist_ok=True)
    (scripts / "javascript_frames.js").write_text(SCRIPT)
    given = {
        "database": str(folder / "bench.sqlite"),
        "local_manager_storage_path": str(folder / "local"),
        "shared_storage_path": str(folder),
        "autodiscoverable": False,
        "plugins": {"javascript": {"scripts": [str(scripts)]}},
    }
    return load_settings(None, ManagerSettings, overrides=given, environ={})


@contextmanager
def server() -> Iterator[str]:
    """Run the product's server as a process; give its URL."""
    with tempfile.TemporaryDirectory(prefix="flamenco-bench-") as folder:
        command = [sys.executable, PROGRAM, "--serve", folder]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()


async def submit(url: str, job_type: str, tasks: int) -> dict[str, float]:
    """Return seconds from request to answer, and of the slowest other answer meanwhile."""
    body = {
        "name": "bench",
        "type": job_type,
        "submitter_platform": "linux",
        "settings": {"frames": f"1-{tasks - 1}"},
    }
    async with httpx.AsyncClient(base_url=f"{url}/api/v3", timeout=120) as http:
        asking = asyncio.create_task(ask_meanwhile(url))
        started = time.perf_counter()
        answer = await http.post("/jobs", json=body)
        took = time.perf_counter() - started
        asking.cancel()
        waits = await asking
        answer.raise_for_status()
        stored = (await http.get(f"/jobs/{answer.json()['id']}")).json()
        found = len((await http.get(f"/jobs/{stored['id']}/tasks")).json()["tasks"])
        assert found == tasks, f"{found} tasks are there"
    return {"seconds": round(took, 2), "longest_wait_ms": round(max(waits) * 1000)}


async def ask_meanwhile(url: str) -> list[float]:
    waits = [0.0]
    async with httpx.AsyncClient(base_url=f"{url}/api/v3", timeout=120) as http:
        started = time.perf_counter()
        try:
            while True:
                started = time.perf_counter()
                await http.get("/version")
                waits.append(time.perf_counter() - started)
                await asyncio.sleep(0.005)
        except asyncio.CancelledError:
            return [*waits, time.perf_counter() - started]


async def measure(tasks: int) -> dict[str, dict[str, float]]:
    found = {}
    for job_type in ("python-frames", "javascript-frames"):
        with server() as url:
            await submit(url, job_type, 100)  # the first time loads what the rest uses
            found[job_type] = await submit(url, job_type, tasks)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=TASKS)
    parser.add_argument("--json", action="store_true", help="one object as the last line")
    parser.add_argument("--serve", default="", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.serve:
        app = create_manager(settings_in(Path(told.serve)), plugins=[Plugin()], strict=True)
        serve(app, "127.0.0.1", 0, lambda url: print(url, flush=True))
        return
    found = asyncio.run(measure(told.tasks))
    for name, figures in found.items():
        wait = figures["longest_wait_ms"]
        print(f"{name:20}{told.tasks:,} tasks in {figures['seconds']} s; others waited {wait} ms")
    print(f"target with {TASKS:,} tasks: {TARGET} s")
    if told.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
