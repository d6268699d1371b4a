"""The contract of storages, as tests to inherit."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from flamenco_core.offers.storage import Storage

__all__ = ["StorageContract"]

JOB = "5b1ee2c8-8b0c-4c63-9a4e-2f3d0e0f7a11"


class StorageContract:
    """Subclass it as ``class TestOurs(StorageContract)`` with a fixture ``storage``."""

    @pytest.fixture
    def storage(self, tmp_path: Path) -> Storage:
        """Return the storage; what it keeps must be below *tmp_path*."""
        raise NotImplementedError("give the class a fixture 'storage'")

    def test_has_a_name(self, storage: Storage) -> None:
        """It is told apart by it."""
        assert storage.name.strip()

    def test_its_location_is_an_absolute_path(self, storage: Storage) -> None:
        """Other machines get it, translated: it cannot depend on where this one is."""
        assert Path(storage.location).is_absolute()

    def test_says_whether_clients_send_files_by_checksum(self, storage: Storage) -> None:
        """Clients are told true or false, nothing like it."""
        assert storage.shaman is True or storage.shaman is False

    async def test_erasing_what_is_not_there_is_fine(self, storage: Storage) -> None:
        """Deletion is tried again after a crash."""
        await storage.erase(JOB, "")
        await storage.erase(JOB, "never-checked-out")

    @pytest.mark.parametrize("checkout", ["..", "../outside", "/", "a/../../outside"])
    async def test_erases_nothing_outside_of_itself(
        self, storage: Storage, tmp_path: Path, checkout: str
    ) -> None:
        """The checkout's id comes from a client; it may refuse one, but not obey it."""
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "precious").write_text("someone else's")
        with suppress(ValueError, OSError):
            await storage.erase(JOB, checkout)
        assert (outside / "precious").exists()
