"""Settings files that are named on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from flamenco_core.errors import ConfigError

if TYPE_CHECKING:
    from flamenco_core.config import Loaded
    from flamenco_core.manager.settings import ManagerSettings

__all__ = ["manager_settings", "must_exist"]


def must_exist(path: Path | None) -> Path | None:
    """Return *path*; a file that was named but is not there is an error, not a default."""
    if path is not None and not path.exists():
        raise ConfigError(f"there is no settings file {path}; check --config")
    return path


def manager_settings(
    *,
    config: Path | None = None,
    data: Path | None = None,
    listen: str | None = None,
    database: str | None = None,
    shared: str | None = None,
    strict: bool = False,
) -> Loaded[ManagerSettings]:
    """Load a Manager's settings as the options of ``flamenco manager`` say.

    Raises `ConfigError`.
    """
    from flamenco_core.manager.settings import FILE_NAME, load_manager_settings

    given: dict[str, Any] = {
        "listen": listen,
        "database": _from_here(database),
        "shared_storage_path": _from_here(shared),
        "strict": strict or None,
    }
    path = must_exist(config)
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        if path is None:
            # Relative paths start from the settings file: this moves all of them.
            path = data / FILE_NAME
        else:
            storage = data / "flamenco-manager-storage"
            given["local_manager_storage_path"] = str(storage.absolute())
            database = str((data / "flamenco-manager.sqlite").absolute())
            given["database"] = given["database"] or database
    return load_manager_settings(path, overrides=given)


def _from_here(path: str | None) -> str | None:
    # A path on the command line starts from where the person is, not from the file.
    return path if path is None or ":" in path[2:] else str(Path(path).absolute())
