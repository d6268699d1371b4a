"""Workers and Managers that are killed in the middle of their work."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from flamenco_core.cli.farm.scene import needed_blender, needed_ffmpeg
from flamenco_core.manager.store.sqlite_library import dbapi

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif("sys.platform != 'linux'", reason="finds processes through /proc"),
]


class Judge:
    """Reads what a farm has left, when it has ended."""

    def __init__(self, farm: Any, job: str) -> None:
        self.farm, self.job = farm, job
        for program in reversed(farm.programs):
            program.end()
        self.storage = farm.folder / "manager" / "flamenco-manager-storage"
        file = farm.folder / "manager" / "flamenco-manager.sqlite"
        self.db = dbapi().connect(f"{file.as_uri()}?mode=ro", uri=True)
        self.db.row_factory = dbapi().Row

    def rows(self, sql: str) -> list[Any]:
        return self.db.execute(sql).fetchall()

    def judge(self, frames: int) -> None:
        """Nothing is lost, nothing counts twice, nothing runs on."""
        try:
            self.database_is_sound()
            self.every_task_has_one_accepted_result()
            self.the_counts_are_those_of_the_tasks()
            self.only_finished_runs_were_accepted()
            self.no_line_is_in_a_log_twice()
        finally:
            self.db.close()
        assert self.farm.renders() == []
        assert len(self.farm.frames()) == frames
        for frame in self.farm.frames():
            decoded(frame)

    def database_is_sound(self) -> None:
        assert self.rows("PRAGMA integrity_check")[0][0] == "ok"
        assert self.rows("PRAGMA foreign_key_check") == []

    def attempts(self) -> list[Any]:
        return self.rows(
            "SELECT t.uuid, t.epoch AS now, a.* FROM tasks t JOIN attempts a ON a.task_id = t.id"
        )

    def every_task_has_one_accepted_result(self) -> None:
        tasks = [row["uuid"] for row in self.rows("SELECT uuid FROM tasks")]
        attempts = self.attempts()
        accepted = Counter(a["uuid"] for a in attempts if a["outcome"] == "completed")
        assert accepted == Counter(tasks)
        assert [a["uuid"] for a in attempts if a["ended_at"] is None] == []
        for task in tasks:
            epochs = sorted(a["epoch"] for a in attempts if a["uuid"] == task)
            assert epochs == list(range(1, len(epochs) + 1))
        # The accepted one is the last: nobody ran the task after its result was in.
        assert all(a["epoch"] == a["now"] for a in attempts if a["outcome"] == "completed")

    def the_counts_are_those_of_the_tasks(self) -> None:
        (job,) = self.rows("SELECT * FROM jobs")
        (tasks,) = self.rows("SELECT count(*) AS n, sum(steps_completed) AS s FROM tasks")
        assert (job["status"], job["tasks_completed"]) == ("completed", tasks["n"])
        assert job["steps_completed"] == job["steps_total"] == tasks["s"]
        assert (job["tasks_failed"], job["tasks_canceled"], job["tasks_paused"]) == (0, 0, 0)
        assert self.rows("SELECT * FROM failures") == self.rows("SELECT * FROM blocks") == []

    def only_finished_runs_were_accepted(self) -> None:
        if not (noted := self.farm.noted()):
            return  # a real Blender keeps no history
        assert "overlap" not in {what for what, _ in noted}
        ended = {lease for what, lease in noted if what == "end"}
        done = {f"{a['uuid']}-{a['epoch']}" for a in self.attempts() if a["outcome"] == "completed"}
        assert done <= ended
        starts = Counter(lease for what, lease in noted if what == "start")
        assert [lease for lease, count in starts.items() if count > 1] == []

    def no_line_is_in_a_log_twice(self) -> None:
        for file in self.storage.rglob("task-*.txt"):
            runs = re.findall(r"> run \S+ \d+", file.read_text())
            assert len(runs) == len(set(runs)) <= 1, file.name

    def manager_errors(self) -> list[str]:
        logs = [file.read_text() for file in self.farm.folder.glob("*.log")]
        return [line for log in logs for line in log.splitlines() if "ERROR" in line]


def decoded(frame: Path) -> Image.Image:
    with Image.open(frame) as image:
        image.load()
        return image.copy()


def test_a_killed_worker_comes_back_and_finishes(farm, poll):
    # With such beats nobody takes it for lost: it is back before it is missed.
    env = {"FLAMENCO_BLENDER": farm.fake_blender(seconds=0.1), "FLAMENCO_TIMINGS__HEARTBEAT": "30"}
    farm.manager()
    worker = farm.worker(**env)
    job = farm.ready().submit("1-16", chunk_size=8)
    # The first run has a lot to say; the second finds most frames done and says little.
    poll(lambda: len(farm.noted("frame")) >= 7)
    worker.kill()
    poll(lambda: farm.renders() == [], 5, "no Blender outlives its Worker")
    worker.start()
    farm.until_status(job, "completed")
    task = next(task for task in farm.tasks(job) if task["name"] == "render-1-8")
    log = farm.log_of(job, task["id"])
    assert [*re.findall(r"run \S+-(\d+) \d+", log)] == ["1", "2"], log
    Judge(farm, job).judge(frames=16)


def test_a_killed_manager_comes_back_and_nothing_is_rendered_twice(farm, poll):
    env = {"FLAMENCO_BLENDER": farm.fake_blender(seconds=0.2)}
    manager = farm.manager()
    farm.worker(**env)
    job = farm.ready().submit("1-12", chunk_size=4)
    poll(lambda: len(farm.noted("frame")) >= 5)
    manager.kill()
    # The Worker renders on, and keeps its report until there is somebody to take it.
    poll(lambda: len(farm.noted("end")) == 2)
    assert len(farm.noted("start")) == 2
    manager.start()
    farm.until_status(job, "completed")
    assert len(farm.noted("start")) == 3
    Judge(farm, job).judge(frames=12)


def test_another_worker_finishes_what_a_killed_one_held(farm, poll):
    blender = farm.fake_blender(seconds=0.1)
    farm.manager()
    lost = farm.worker("lost", FLAMENCO_BLENDER=farm.fake_blender(seconds=600))
    job = farm.ready().submit("1-4")
    poll(lambda: farm.noted("start"))
    farm.worker("other", FLAMENCO_BLENDER=blender)
    poll(lambda: len(farm.noted("end")) == 3)
    lost.kill()
    # Four missed heartbeats of a second each, and the Manager's own rounds.
    farm.until_status(job, "completed", seconds=15)
    names = {w["name"]: w["status"] for w in farm.get("/api/v3/worker-mgt/workers")["workers"]}
    assert names == {"lost": "error", "other": "awake"}
    judge = Judge(farm, job)
    assert Counter(a["outcome"] for a in judge.attempts()) == {"completed": 4, "lost": 1}
    judge.judge(frames=4)


def test_ten_kills_lose_nothing_and_count_nothing_twice(farm, poll):
    env = {"FLAMENCO_BLENDER": farm.fake_blender(seconds=0.2)}
    manager, alfa, beta = farm.manager(), farm.worker("alfa", **env), farm.worker("beta", **env)
    job = farm.ready(workers=2).submit("1-60")
    killed = (alfa, beta, manager, alfa, manager, beta, manager, alfa, beta, manager)
    for number, victim in enumerate(killed):
        # In the middle of a render, and just when its result is on its way.
        moment = ("start", "end")[number % 2]
        before = len(farm.noted(moment))
        poll(lambda moment=moment, before=before: len(farm.noted(moment)) > before, 20, number)
        victim.kill()
        victim.start()
    farm.until_status(job, "completed")
    judge = Judge(farm, job)
    assert "lost" in {a["outcome"] for a in judge.attempts()}, "no kill hit a render"
    assert judge.manager_errors() == []
    judge.judge(frames=60)


# -- with a real Blender and a real FFmpeg


SCENE = """
import sys, bpy
scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.samples, scene.cycles.use_denoising = 4, False
scene.render.resolution_x, scene.render.resolution_y = 64, 36
scene.render.resolution_percentage = 100
scene.render.image_settings.file_format = "PNG"
cube = bpy.data.objects["Cube"]
for frame, turn in ((1, 0.0), (8, 2.0)):
    cube.rotation_euler.z = turn
    cube.keyframe_insert("rotation_euler", frame=frame)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
"""


@pytest.fixture
def blend(farm):
    script, blend = farm.folder / "scene.py", farm.shared / "scene.blend"
    script.write_text(SCENE)
    needed_ffmpeg()
    command = [*needed_blender(), "--background", "--factory-startup", "--python-exit-code", "1"]
    command += ["--python", str(script), "--", str(blend)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return blend


@pytest.mark.blender
def test_a_film_is_whole_after_kills_of_worker_manager_and_both(farm, blend, poll):
    manager, worker = farm.manager(), farm.worker()
    job = farm.ready().submit("1-8", blend, chunk_size=4, fps=24)

    poll(lambda: len(farm.frames()) >= 2)
    worker.kill()
    poll(lambda: farm.renders() == [], 5, "no Blender outlives its Worker")
    worker.start()

    poll(lambda: len(farm.frames()) >= 4)
    manager.kill()
    manager.start()

    # The very moment in which Blender begins to save a frame: it is often left empty.
    poll(lambda: len(farm.frames()) >= 6, every=0.001)
    worker.kill()
    manager.kill()
    poll(lambda: farm.renders() == [], 5, "no Blender outlives its Worker")
    manager.start()
    worker.start()

    farm.until_status(job, "completed")
    (video,) = (farm.shared / "frames").glob("*.mp4")
    runs = [len(re.findall("going to run", farm.log_of(job, t["id"]))) for t in farm.tasks(job)]
    assert sum(runs) > len(runs), "no kill hit a render"
    Judge(farm, job).judge(frames=8)
    assert frames_of(video, farm.folder) == 8
    first, last = (Image.open(farm.frames()[place]) for place in (0, -1))
    assert first.size == (64, 36)
    assert ImageChops.difference(first.convert("RGB"), last.convert("RGB")).getbbox()


def frames_of(video, folder) -> int:
    """Decode a video with the FFmpeg that comes in a package, whichever made it."""
    from imageio_ffmpeg import get_ffmpeg_exe

    pictures = folder / "decoded"
    pictures.mkdir()
    command = [get_ffmpeg_exe(), "-v", "error", "-xerror", "-i", str(video)]
    subprocess.run([*command, str(pictures / "%03d.png")], check=True, timeout=60)
    return len([*pictures.iterdir()])
