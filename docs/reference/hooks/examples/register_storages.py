"""Keep the files of jobs in a folder that is named in this plugin's settings."""

import shutil
from pathlib import Path

import anyio
import attrs

from flamenco_core import hookimpl


@attrs.frozen
class Settings:
    folder: Path = Path("/srv/jobs")


@attrs.frozen
class Folder:
    name = "plain-folder"
    folder: Path
    shaman = False

    @property
    def location(self):
        return str(self.folder)

    async def erase(self, job_id, checkout_id):
        target = self.folder / job_id
        await anyio.to_thread.run_sync(lambda: shutil.rmtree(target, ignore_errors=True))


@hookimpl
def register_storages(manager):
    return [Folder(manager.settings_of("plain-folder", Settings).folder)]
