"""Small images as files that are always whole, beside the task logs of their job."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs

from flamenco_core.manager.logs import TaskLogs
from flamenco_core.wire.images import JOB_IMAGES, task_images

__all__ = ["ImageFile", "ImageFiles"]

_NAME = re.compile(r"(task-[0-9a-f-]{36}-)?last-rendered(-small|-tiny)?\.jpg")


@attrs.frozen(kw_only=True)
class ImageFile:
    """An image that was read; ``modified`` is in nanoseconds since 1970."""

    data: bytes = attrs.field(repr=False)
    modified: int

    @property
    def tag(self) -> str:
        """What changes with the content, as HTTP's ``ETag``."""
        return f'"{self.modified:x}-{len(self.data):x}"'


class ImageFiles:
    """The newest images of jobs and of their tasks."""

    def __init__(self, logs: TaskLogs) -> None:
        self._logs = logs

    def store(self, job: str, task: str, images: Sequence[bytes]) -> None:
        """Keep images (large, small, tiny) as the newest of a job and of a task.

        Whoever reads sees all of a file or all of the one before. Of a task there is no
        large one: a job can have ten thousand tasks.
        """
        folder = self._logs.folder(job)
        folder.mkdir(parents=True, exist_ok=True)
        # The tiny one last: where it is, all others are.
        for name, data in zip(task_images(task), images[1:], strict=True):
            _replace(folder / name, data)
        for name, data in zip(JOB_IMAGES, images, strict=True):
            _replace(folder / name, data)

    def stored_at(self, job: str, task: str = "") -> int | None:
        """Return when the newest image of a job or task was stored, `None` if there is none.

        Microseconds since 1970.
        """
        name = (task_images(task) if task else JOB_IMAGES)[-1]
        try:
            return (self._logs.folder(job) / name).stat().st_mtime_ns // 1000
        except FileNotFoundError:
            return None

    def read(self, job: str, name: str) -> ImageFile | None:
        """Return a job's image under this name, if there is one."""
        if _NAME.fullmatch(name) is None:
            return None
        try:
            with (self._logs.folder(job) / name).open("rb") as file:
                modified = os.fstat(file.fileno()).st_mtime_ns
                return ImageFile(data=file.read(), modified=modified)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def remove(self, job: str, task: str) -> None:
        """Take away what `store` has made, and the folders if nothing else is in them."""
        folder = self._logs.folder(job)
        for name in (*JOB_IMAGES, *task_images(task)):
            (folder / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()
            folder.parent.rmdir()


def _replace(path: Path, data: bytes) -> None:
    number, temporary = tempfile.mkstemp(prefix=".last-rendered-", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
