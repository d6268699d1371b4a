"""Look at what a render job has left on disk."""

from __future__ import annotations

from pathlib import Path

import attrs

from flamenco_core.domain.frames import frame_numbers
from flamenco_core.errors import FlamencoError
from flamenco_core.wire.jobs import Job

__all__ = ["Results", "results_of"]


@attrs.frozen(kw_only=True)
class Results:
    """The files of a finished render job; ``missing`` says in words what is not right."""

    folder: Path
    frames: tuple[Path, ...]
    video: Path | None
    missing: tuple[str, ...]


def results_of(job: Job) -> Results:
    """Look for every frame of the job and for its video; an empty file counts as missing.

    Raises `FlamencoError` when the job does not say where its frames are.
    """
    output = job.settings.get("render_output_path")
    extension = str(job.settings.get("image_file_extension", ".png"))
    name = output.rpartition("/")[2] if isinstance(output, str) else ""
    if not isinstance(output, str) or not name or name.strip("#"):
        raise FlamencoError(f"job {job.id} does not say where its frames are: {output!r}")
    folder = Path(output).parent
    digits = len(Path(output).name)
    numbers = frame_numbers(str(job.settings["frames"]))
    frames = [folder / f"{number:0{digits}}{extension}" for number in numbers]
    videos = sorted(folder.glob("*.mp4"))
    missing = [why for frame in frames if (why := _wrong_with(frame))]
    missing += [why for video in videos if (why := _wrong_with(video))]
    if not videos:
        missing.append(f"there is no video in {folder}")
    return Results(
        folder=folder,
        frames=tuple(frames),
        video=videos[0] if videos else None,
        missing=tuple(missing),
    )


def _wrong_with(file: Path) -> str:
    if not file.is_file():
        return f"{file.name} was not written"
    return "" if file.stat().st_size else f"{file.name} is empty"
