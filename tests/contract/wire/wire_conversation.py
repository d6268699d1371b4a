"""What the conversations of Flamenco's clients share."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from flamenco_core import Author, JobType, hookimpl, setting
from flamenco_core.manager.usecases.workers import give_up_workers

__all__ = ["Frames", "FramesPlugin", "give_up", "job_of_frames", "on_both", "wish"]

on_both = pytest.mark.parametrize(
    "database",
    [
        pytest.param(None, id="sqlite"),
        pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgresql),
    ],
    indirect=True,
)


@attrs.frozen
class Frames(JobType):
    """So many frames, and a video of them if wanted."""

    name = "frames"
    label = "Frames"
    frames: int = setting(1)
    video: bool = setting(False)

    def author(self, author: Author) -> None:
        rendered = [author.task(f"frame-{n}", "blender") for n in range(1, self.frames + 1)]
        for task in rendered:
            task.command("blender-render", {"exe": "{blender}", "args": []}, steps=1)
        if self.video:
            author.task("video", "ffmpeg").after(*rendered).command("frames-to-video", {"fps": 24})


class FramesPlugin:
    @hookimpl
    def register_job_types(self) -> list[type[JobType]]:
        return [Frames]


async def job_of_frames(api: Any, frames: int, *, video: bool = False, **rest: Any) -> str:
    return str(await api.submit("frames", {"frames": frames, "video": video}, **rest))


async def wish(api: Any, worker: Any, status: str, *, lazy: bool = False) -> None:
    """Ask a worker to be something, as the web app does."""
    path = f"/api/v3/worker-mgt/workers/{worker.uuid}/setstatus"
    answer = await api.client.post(path, json={"status": status, "is_lazy": lazy})
    assert answer.status_code == 204, answer.text


async def give_up(api: Any, worker: Any) -> None:
    """Take a worker for lost, as if it had not been heard of for too long."""
    await api.manager.database.write(give_up_workers, [worker.uuid], api.manager.rules)
