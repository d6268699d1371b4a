"""The command ``frames-to-video``."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import anyio
import attrs

from flamenco_core import Command, CommandError, Run
from flamenco_core.domain.words import as_words, split_words
from flamenco_ffmpeg.finder import FFmpegFinder, is_plain_ffmpeg
from flamenco_ffmpeg.frames import find_frames, index_of, kind_of
from flamenco_ffmpeg.progress import follow, report

__all__ = ["FramesToVideo"]

Word = str | int | float | bool

# A frame is a file, whatever its name looks like; nothing is fetched from anywhere.
_SAFE = ("-protocol_whitelist", "file,pipe")


def _not_empty(_: Any, field: attrs.Attribute[Any], value: str) -> None:
    if not value.strip():
        raise ValueError(f'parameter "{field.alias}" must not be empty')


def _splits(_: Any, field: attrs.Attribute[Any], value: str) -> None:
    try:
        split_words(value)
    except ValueError as error:
        raise ValueError(f'parameter "{field.alias}" has invalid value: {error}') from error


def _positive(_: Any, field: attrs.Attribute[Any], value: float) -> None:
    if not 0 < value < 100_000:
        raise ValueError(f'parameter "{field.alias}" has invalid value {value:g}: not a frame rate')


@attrs.frozen(kw_only=True)
class FramesToVideo(Command):
    """Make a video of all frames that match a pattern, in the order of their numbers.

    ``exe`` is a path, or just ``ffmpeg`` for the one of this machine. ``args`` come after
    the input. Numbers may be missing, and frames may be of different file formats.
    """

    name = "frames-to-video"
    finder: ClassVar[FFmpegFinder] = FFmpegFinder()

    exe: str = attrs.field(validator=_not_empty)
    exe_args: str = attrs.field(default="", alias="exeArgs", validator=_splits)
    args_before: list[Word] = attrs.field(factory=list, alias="argsBefore")
    fps: float = attrs.field(validator=_positive)
    input_glob: str = attrs.field(alias="inputGlob", validator=_not_empty)
    output_file: str = attrs.field(alias="outputFile", validator=_not_empty)
    args: list[Word] = attrs.field(factory=list)

    @classmethod
    def found_by(cls, finder: FFmpegFinder) -> type[FramesToVideo]:
        """Return this command, for a Worker whose FFmpeg *finder* knows."""
        body = {"finder": finder, "__doc__": cls.__doc__, "__module__": cls.__module__}
        return attrs.frozen(kw_only=True)(type(cls.__name__, (cls,), body))

    async def run(self, run: Run) -> None:
        """Find the frames, encode them, and make sure that there is a video."""
        exe = await self._program(run)
        frames = await anyio.to_thread.run_sync(find_frames, self.input_glob)
        output = Path(self.output_file)
        await anyio.Path(output.parent).mkdir(parents=True, exist_ok=True)
        await run.log(f"frames-to-video: {len(frames)} frames, {frames[0]} to {frames[-1].name}")
        before = await _stamp(output)
        with _scratch() as scratch:
            frames = await self._one_kind(run, exe, frames, scratch)
            await self._encode(run, exe, frames, scratch)
        await _check(output, before)

    async def _encode(
        self, run: Run, exe: Sequence[str], frames: Sequence[Path], scratch: Path
    ) -> None:
        progress = scratch / "progress.txt"
        argv = [
            *exe,
            *split_words(self.exe_args),
            *as_words(self.args_before),
            *("-hide_banner", "-nostdin", "-nostats", "-progress", str(progress)),
            *self._input(frames, scratch / "frames.ffconcat"),
            *as_words(self.args),
            *("-r", *as_words([self.fps])),
            self.output_file,
        ]
        failure: CommandError | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(follow, run, progress, len(frames))
            try:
                await run.execute(argv)
            except CommandError as error:
                # Out of the group as it is: in a group it would be one of several errors.
                failure = error
            group.cancel_scope.cancel()
        if failure:
            raise failure
        done = await report(run, progress, len(frames))
        if 0 < done < len(frames):
            # No error: the job type's arguments may ask for it.
            await run.log(f"frames-to-video: only {done} of {len(frames)} frames are in the video")

    def _input(self, frames: Sequence[Path], index: Path) -> list[str]:
        index.write_text(index_of(frames, self.fps), encoding="utf-8")
        # With the rate given, FFmpeg counts frames and does not round their times.
        rate = ["-r", *as_words([self.fps])]
        return [*_SAFE, *rate, "-f", "concat", "-safe", "0", "-i", str(index)]

    async def _one_kind(
        self, run: Run, exe: Sequence[str], frames: list[Path], scratch: Path
    ) -> list[Path]:
        """Return frames of one file format; FFmpeg leaves out those of another."""
        kinds = {kind_of(frame) for frame in frames}
        if len(kinds) == 1:
            return frames
        await run.log(f"frames-to-video: converting mixed files to PNG: {', '.join(sorted(kinds))}")
        ready = {frame: frame for frame in frames}
        for kind in sorted(kinds - {".png"}):
            others = [frame for frame in frames if kind_of(frame) == kind]
            target = scratch / f"{kind.lstrip('.') or 'none'}-%06d.png"
            index = self._input(others, target.with_suffix(".ffconcat"))
            start = ["-start_number", "0", "-r", *as_words([self.fps])]
            quiet = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning"]
            await run.execute([*exe, *quiet, *index, *start, str(target)])
            ready |= {f: Path(str(target) % number) for number, f in enumerate(others)}
        return [ready[frame] for frame in frames]

    async def _program(self, run: Run) -> tuple[str, ...]:
        if not is_plain_ffmpeg(self.exe):
            return (self.exe,)
        if found := await self.finder.find():
            # Its own banner is switched off; which one it was is asked later, by people.
            await run.log(f"frames-to-video: FFmpeg {found.version} ({found.origin})")
            return (found.exe,)
        raise CommandError(
            "there is no FFmpeg on this machine; install it, set plugins.ffmpeg.exe in the"
            " Worker's settings, or pip install 'flamenco-ffmpeg[bundled]'"
        )


async def _stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file is written, or `None` if there is no file."""
    try:
        found = await anyio.Path(path).stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


async def _check(output: Path, before: tuple[int, int] | None) -> None:
    """Raise `CommandError` if FFmpeg has not made a video, whatever it says."""
    after = await _stamp(output)
    if after is None:
        raise CommandError(f"FFmpeg ended well, but there is no video {output}")
    # FFmpeg 9 ends with 0 when it may not overwrite the file.
    if after == before:
        raise CommandError(f"{output} exists and was not written; add -y to overwrite it")
    if after[0] == 0:
        raise CommandError(f"FFmpeg ended well, but the video {output} is empty")


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="flamenco-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
