"""Where the files of jobs live, as the farm's machines share them."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Storage"]


class Storage(Protocol):
    """A way to keep the files of jobs; the last one offered is used."""

    @property
    def name(self) -> str:
        """Name of the offer."""

    @property
    def location(self) -> str:
        """Absolute path of the job storage, in the Manager's notation."""

    @property
    def shaman(self) -> bool:
        """Whether clients should send files by checksum (Shaman)."""

    async def erase(self, job_id: str, checkout_id: str) -> None:
        """Remove what this storage keeps for a job; missing files are fine."""
