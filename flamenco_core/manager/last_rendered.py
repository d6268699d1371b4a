"""The newest image of each job, as a file that is always whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from flamenco_core.manager.logs import TaskLogs

__all__ = ["MEDIA_TYPES", "LastRendered"]

MEDIA_TYPES = {"image/jpeg": "last-rendered.jpg", "image/png": "last-rendered.png"}
"""Which images are taken, and how their files are called."""
_BEGINNINGS = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}


class LastRendered:
    """Images in the jobs' folders, beside the task logs."""

    def __init__(self, logs: TaskLogs) -> None:
        self._logs = logs

    def store(self, job: str, media_type: str, image: bytes) -> None:
        """Keep *image* as the newest of a job; whoever reads sees all of it or the one before.

        Raises `ValueError` when it is not what *media_type* says.
        """
        if not image.startswith(_BEGINNINGS[media_type]):
            raise ValueError(f"this is no {media_type}")
        folder = self._logs.folder(job)
        folder.mkdir(parents=True, exist_ok=True)
        number, temporary = tempfile.mkstemp(prefix=".last-rendered-", dir=folder)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(image)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(folder / MEDIA_TYPES[media_type])
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        # Of two the newer one would be the wrong one half of the time.
        for other in MEDIA_TYPES.values():
            if other != MEDIA_TYPES[media_type]:
                (folder / other).unlink(missing_ok=True)

    def path(self, job: str, name: str) -> Path | None:
        """Return the file of a job's newest image under this name, if there is one."""
        path = self._logs.folder(job) / name
        return path if name in MEDIA_TYPES.values() and path.is_file() else None
