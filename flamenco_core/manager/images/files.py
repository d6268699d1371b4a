"""Small images as files that are always whole, beside the task logs of their job.

Of each image there are two small files under a name of its own, which never change. The
newest of a job is kept in three sizes as well, under the names that Flamenco's clients
know.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs

from flamenco_core.manager.logs import TaskLogs
from flamenco_core.wire.images import JOB_IMAGES, image_names

__all__ = ["ImageFile", "ImageFiles"]

_LASTING = re.compile(r"image-[0-9a-f-]{36}-(small|tiny)\.jpg")


@attrs.frozen(kw_only=True)
class ImageFile:
    """An image that was read; ``modified`` is in nanoseconds since 1970.

    ``lasting`` says that under its name there will never be another one.
    """

    data: bytes = attrs.field(repr=False)
    modified: int
    lasting: bool

    @property
    def tag(self) -> str:
        """What changes with the content, as HTTP's ``ETag``."""
        return f'"{self.modified:x}-{len(self.data):x}"'


class ImageFiles:
    """The images of jobs; *image* is the id of one."""

    def __init__(self, logs: TaskLogs) -> None:
        self._logs = logs

    def store(self, job: str, image: str, sizes: Sequence[bytes]) -> None:
        """Keep an image (large, small, tiny) as the newest of a job.

        Whoever reads sees all of a file or all of the one before.
        """
        folder = self._logs.folder(job)
        folder.mkdir(parents=True, exist_ok=True)
        # The tiny one last: where it is, all others are.
        names = (*image_names(image), *JOB_IMAGES)
        for name, data in zip(names, (*sizes[1:], *sizes), strict=True):
            _replace(folder / name, data)

    def has_any(self, job: str) -> bool:
        """Say whether the files of a job's newest image are there."""
        return (self._logs.folder(job) / JOB_IMAGES[-1]).is_file()

    def read(self, job: str, name: str) -> ImageFile | None:
        """Return a job's image under this name, if there is one."""
        lasting = _LASTING.fullmatch(name) is not None
        if not lasting and name not in JOB_IMAGES:
            return None
        try:
            with (self._logs.folder(job) / name).open("rb") as file:
                modified = os.fstat(file.fileno()).st_mtime_ns
                return ImageFile(data=file.read(), modified=modified, lasting=lasting)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def paths(self, job: str) -> list[Path]:
        """Return the files of all of a job's images that are there, by name."""
        found = self._logs.folder(job).glob("*.jpg")
        return sorted(p for p in found if p.name in JOB_IMAGES or _LASTING.fullmatch(p.name))

    def remove(self, job: str, *images: str) -> None:
        """Remove images that are shown no more."""
        for image in images:
            for name in image_names(image):
                (self._logs.folder(job) / name).unlink(missing_ok=True)

    def remove_all(self, job: str, image: str) -> None:
        """Take away what `store` has made, and the folders if nothing else is in them."""
        folder = self._logs.folder(job)
        self.remove(job, image)
        for name in JOB_IMAGES:
            (folder / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()
            folder.parent.rmdir()


def _replace(path: Path, data: bytes) -> None:
    number, temporary = tempfile.mkstemp(prefix=".image-", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
