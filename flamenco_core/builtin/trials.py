"""Built-in: the trial ``files``, which asks whether worker and Manager share a storage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from flamenco_core import FlamencoError, hookimpl
from flamenco_core.offers import CommandToRun, Trial

__all__ = ["register_trials"]

# Not all of it is ASCII: some shares and file systems mangle what they do not expect.
TEXT = "Flamenco was here: ünïcödé 木\n".encode() * 1000


def _prepare(folder: Path) -> None:
    (folder / "source.txt").write_bytes(TEXT)


def _commands(folder: str) -> Sequence[CommandToRun]:
    def command(name: str, **parameters: str) -> CommandToRun:
        return CommandToRun(name=name, parameters=parameters)

    return [
        command("make-directory", path=f"{folder}/made"),
        command("copy-file", src=f"{folder}/source.txt", dest=f"{folder}/made/copy.txt"),
        command("move-directory", src=f"{folder}/made", dest=f"{folder}/moved"),
    ]


def _prove(folder: Path) -> str:
    copy = folder / "moved" / "copy.txt"
    if not copy.exists():
        raise FlamencoError(
            f"the worker copied and moved a file, but {copy} is not there; is that folder the"
            " same one for the worker? Mount the same share, or set a two-way variable for it"
        )
    if copy.read_bytes() != TEXT:
        raise FlamencoError(f"{copy} is not what was written; the share or its disk is bad")
    return "made a folder, copied and moved a file"


@hookimpl
def register_trials() -> Iterable[Trial]:
    """Offer the trial of files."""
    return [
        Trial(
            name="files",
            task_type="file-management",
            prepare=_prepare,
            commands=_commands,
            prove=_prove,
        )
    ]
