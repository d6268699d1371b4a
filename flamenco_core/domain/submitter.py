"""Who submitted a job, as the job's metadata say."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["SUBMITTER", "is_by", "submitter_of"]

SUBMITTER = "user.name"
"""As in the examples of Flamenco's API document."""
_KEYS = (SUBMITTER, "user")


def submitter_of(metadata: Mapping[str, object]) -> str:
    """Return the name, empty if the job does not say."""
    for key in _KEYS:
        name = metadata.get(key)
        # Job types can put anything there.
        if isinstance(name, str) and name.strip():
            return name.strip()
    return ""


def is_by(user: str, submitter: str) -> bool:
    """Say whether a name means this submitter; Windows writes names as it likes."""
    return user.strip().casefold() == submitter.casefold()
