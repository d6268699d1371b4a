"""A plugin in one file: put it into the folder that ``plugins_dir:`` names.

It gives Workers a command ``copy-frames`` and the Manager a job type that uses it. A file
in ``plugins_dir:`` serves whichever of the two reads the folder.
"""

import shutil

import anyio
import attrs

from flamenco_core import Author, Command, CommandError, JobType, Run, hookimpl, setting


@attrs.frozen
class CopyFrames(Command):
    """Copy the files of a folder that match a pattern to another folder."""

    name = "copy-frames"
    source: str
    target: str
    pattern: str = "*"

    async def run(self, run: Run) -> None:
        found = sorted([file async for file in anyio.Path(self.source).glob(self.pattern)])
        if not found:
            raise CommandError(f"nothing in {self.source} matches {self.pattern}")
        await anyio.Path(self.target).mkdir(parents=True, exist_ok=True)
        for file in found:
            await anyio.to_thread.run_sync(shutil.copy2, file, self.target)
            await run.step()
        await run.log(f"copied {len(found)} files to {self.target}")


@attrs.frozen
class Deliver(JobType):
    """Copy finished frames to a delivery folder."""

    name = "deliver"
    label = "Deliver frames"
    source: str = setting(subtype="dir_path", description="Folder of the frames")
    target: str = setting(subtype="dir_path", description="Where they go")
    pattern: str = setting("*.png")

    def author(self, author: Author) -> None:
        parameters = {"source": self.source, "target": self.target, "pattern": self.pattern}
        author.task("copy", "file-management").command("copy-frames", parameters)


@hookimpl
def register_commands():
    return [CopyFrames]


@hookimpl
def register_job_types():
    return [Deliver]
