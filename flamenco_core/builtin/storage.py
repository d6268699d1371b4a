"""Built-in: jobs' files stay where they are, in a folder that all machines share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from flamenco_core.hookspecs import hookimpl
from flamenco_core.offers.storage import Storage

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["SharedFolder", "register_storages"]


@attrs.frozen(kw_only=True)
class SharedFolder:
    """The folder ``shared_storage_path`` of the settings, as it is."""

    name: str = "shared-folder"
    path: Callable[[], str]
    """Says which folder it is: that can be set while the Manager works."""

    @property
    def location(self) -> str:
        """Absolute path of the folder; the current one until it is set."""
        return Path(self.path() or ".").absolute().as_posix()

    @property
    def shaman(self) -> bool:
        """No: files are copied to the folder, not sent by checksum."""
        return False

    async def erase(self, job_id: str, checkout_id: str) -> None:
        """Remove nothing: these files are people's own."""


@hookimpl
def register_storages(manager: Manager) -> Iterable[Storage]:
    """Offer the shared folder of the settings."""
    return [SharedFolder(path=lambda: manager.settings.shared_storage_path)]
