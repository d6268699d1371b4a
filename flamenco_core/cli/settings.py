"""Settings files that are named on the command line."""

from __future__ import annotations

from pathlib import Path

from flamenco_core.errors import ConfigError

__all__ = ["must_exist"]


def must_exist(path: Path | None) -> Path | None:
    """Return *path*; a file that was named but is not there is an error, not a default."""
    if path is not None and not path.exists():
        raise ConfigError(f"there is no settings file {path}; check --config")
    return path
