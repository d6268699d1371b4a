"""Secrets are not shown; what is shown in their place, written back, keeps the secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flamenco_core.errors import ConfigError

__all__ = ["MASK", "is_secret", "masked", "unmasked"]

MASK = "••••••••"
"""What is shown for a secret, whatever its length."""

_SECRET = re.compile("password|secret|token|credential", re.IGNORECASE)
_USERINFO = re.compile(r"(://[^/@:]*:)([^/@]+)(@)")


def is_secret(key: str) -> bool:
    """Say whether values under *key* are secrets."""
    return _SECRET.search(key) is not None


def masked(value: Any, key: str = "") -> Any:
    """Return plain data without its secrets; also the passwords inside of URLs are hidden."""
    if isinstance(value, Mapping):
        return {
            name: masked(item, f"{key}.{name}" if key else name) for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(item, key) for item in value]
    if value in (None, "") or isinstance(value, bool):
        return value
    if is_secret(key):
        return MASK
    return _USERINFO.sub(rf"\1{MASK}\3", value) if isinstance(value, str) else value


def unmasked(value: Any, old: Any, key: str = "") -> Any:
    """Put the *old* secrets back where a mask was written.

    Raises `ConfigError` for a mask in the middle of a changed text: the secret of one
    server would be told to another one.
    """
    if isinstance(value, Mapping):
        known = old if isinstance(old, Mapping) else {}
        return {
            name: unmasked(item, known.get(name), f"{key}.{name}" if key else name)
            for name, item in value.items()
        }
    if not isinstance(value, str) or MASK not in value:
        return value
    if old is not None and value == masked(old, key):
        return old
    raise ConfigError(f"{key}: write the secret anew in place of {MASK}, or leave all as it was")
