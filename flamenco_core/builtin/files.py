"""Commands of task type ``file-management``."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio.to_thread
import attrs

from flamenco_core import Command, CommandError, Run, hookimpl

__all__ = ["CopyFile", "MakeDirectory", "MoveDirectory"]


def _not_empty(command: Any, field: attrs.Attribute[str], value: str) -> None:
    if not value.strip():
        raise ValueError(f'parameter "{field.name}" has invalid value "": is empty')


def _absolute(command: Any, field: attrs.Attribute[str], value: str) -> None:
    _not_empty(command, field, value)
    if not Path(value).is_absolute():
        raise ValueError(
            f'parameter "{field.name}" has invalid value "{value}": must be an absolute path'
        )


@attrs.frozen
class MakeDirectory(Command):
    """Make a folder, with the folders above it; one that exists is fine."""

    name = "make-directory"
    path: str = attrs.field(validator=_not_empty)

    async def run(self, run: Run) -> None:
        """Make the folder, with mode 0775 less the umask."""
        await run.log(f'make-directory: creating directory "{self.path}"')
        try:
            await anyio.to_thread.run_sync(_make_folders, Path(self.path), 0o775)
        except OSError as error:
            await run.log(f'make-directory: cannot create "{self.path}": {error.strerror}')
            raise CommandError(f'cannot create directory "{self.path}": {error}') from error


@attrs.frozen
class CopyFile(Command):
    """Copy the contents of one file to a place where there is none yet."""

    name = "copy-file"
    src: str = attrs.field(validator=_absolute)
    dest: str = attrs.field(validator=_absolute)

    async def run(self, run: Run) -> None:
        """Copy; the destination appears complete or not at all."""
        await run.log(f'copy-file: copying "{self.src}" to "{self.dest}"')
        try:
            await anyio.to_thread.run_sync(_copy_file, Path(self.src), Path(self.dest))
        except OSError as error:
            await run.log(f"copy-file: {_why(error)}")
            raise CommandError(f'copy-file: cannot copy "{self.src}": {_why(error)}') from error
        await run.log(f'copy-file: copied "{self.src}" to "{self.dest}"')


@attrs.frozen
class MoveDirectory(Command):
    """Move a folder or file; what stands at its destination is renamed, never lost."""

    name = "move-directory"
    src: str = attrs.field(validator=_not_empty)
    dest: str = attrs.field(validator=_not_empty)

    async def run(self, run: Run) -> None:
        """Put what is in the way aside under a name with its date, then move."""
        src, dest = Path(self.src), Path(self.dest)
        if not await anyio.to_thread.run_sync(_exists, src):
            await run.log(f'move-directory: source path "{src}" does not exist')
            raise CommandError(f'move-directory: source path "{src}" does not exist')
        if not await anyio.to_thread.run_sync(_exists, dest):
            await self._move(src, dest, run)
            return
        aside = await anyio.to_thread.run_sync(_free_name, dest)
        await self._move(dest, aside, run)
        try:
            await self._move(src, dest, run)
        except CommandError:
            # All or nothing: what stood there stands there again.
            await self._move(aside, dest, run)
            raise

    async def _move(self, src: Path, dest: Path, run: Run) -> None:
        await run.log(f'move-directory: moving "{src}" to "{dest}"')
        try:
            await anyio.to_thread.run_sync(_move, src, dest)
        except (OSError, shutil.Error) as error:
            await run.log(f'move-directory: cannot move "{src}" to "{dest}": {error}')
            raise CommandError(f'move-directory: cannot move "{src}": {error}') from error


def _why(error: OSError) -> str:
    if isinstance(error, FileExistsError):
        return f'destination "{error.filename}" exists already'
    if isinstance(error, FileNotFoundError):
        return f'source "{error.filename}" does not exist'
    return str(error)


def _exists(path: Path) -> bool:
    # A link that leads nowhere is in the way, too.
    return os.path.lexists(path)


def _make_folders(path: Path, mode: int) -> None:
    # `Path.mkdir(parents=True)` gives its mode only to the last folder.
    missing = [p for p in (path, *path.parents) if not p.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=mode, exist_ok=True)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "there is a file of this name", str(path))


def _copy_file(src: Path, dest: Path) -> None:
    if not src.exists():
        raise FileNotFoundError(errno.ENOENT, "does not exist", str(src))
    if not src.is_file():
        raise OSError(errno.EINVAL, "is not a regular file", str(src))
    if _exists(dest):
        raise FileExistsError(errno.EEXIST, "exists already", str(dest))
    _make_folders(dest.parent, 0o750)
    # "x": of two that copy to one place at the same time, one wins and the other hears it.
    with src.open("rb") as source, dest.open("xb") as target:
        try:
            shutil.copyfileobj(source, target, 1024 * 1024)
            target.flush()
            os.fsync(target.fileno())
        except BaseException:
            dest.unlink(missing_ok=True)
            raise


def _free_name(path: Path) -> Path:
    """Return a name for what stands at *path*: its date of change, and a number if needed."""
    changed = datetime.fromtimestamp(round(path.lstat().st_mtime))
    base = f"{path.name}-{changed:%Y-%m-%d_%H%M%S}"
    if not _exists(path.with_name(base)):
        return path.with_name(base)
    numbered = re.compile(re.escape(base) + r"-(\d+)")
    matches = (numbered.fullmatch(entry.name) for entry in path.parent.iterdir())
    highest = max((int(match[1]) for match in matches if match), default=0)
    return path.with_name(f"{base}-{highest + 1:03}")


def _move(src: Path, dest: Path) -> None:
    try:
        src.rename(dest)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _move_across(src, dest)


def _move_across(src: Path, dest: Path) -> None:
    """Move to another file system: copy beside *dest*, rename in, then delete *src*.

    Nobody ever sees half a folder at *dest*; if the copy fails, all is as it was.
    """
    beside = Path(tempfile.mkdtemp(dir=dest.parent, prefix=f".{dest.name}.moving-"))
    try:
        copy = beside / dest.name
        if src.is_dir() and not src.is_symlink():
            shutil.copytree(src, copy, symlinks=True)
        else:
            shutil.copy2(src, copy, follow_symlinks=False)
        copy.rename(dest)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    if src.is_dir() and not src.is_symlink():
        shutil.rmtree(src)
    else:
        src.unlink()


@hookimpl
def register_commands() -> Iterable[type[Command]]:
    """Offer the commands on files."""
    return [MakeDirectory, CopyFile, MoveDirectory]
