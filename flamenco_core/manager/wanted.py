"""What somebody wants to be different in the settings, as changes to the file.

Clients send the whole configuration, of which most is as it was. Only what differs from the
settings in force is written, so that the file keeps its own notation, its comments, and
everything that the client does not know.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from flamenco_core.config import Loaded, Wrong
from flamenco_core.config.layers import as_node
from flamenco_core.config.secrets import masked, unmasked
from flamenco_core.config.values import options_of, written
from flamenco_core.errors import ConfigError
from flamenco_core.manager.settings import ManagerSettings
from flamenco_core.manager.variables import read_variables

__all__ = ["FLAMENCO_KEYS", "as_file", "changes_for", "shown"]

log = logging.getLogger(__name__)

FLAMENCO_KEYS = (
    *("_meta", "manager_name", "database", "database_check_period", "listen"),
    *("autodiscoverable", "local_manager_storage_path", "shared_storage_path", "shaman"),
    *("task_timeout", "worker_timeout", "blocklist_threshold"),
    *("task_fail_after_softfail_count", "mqtt", "variables"),
)
"""What Flamenco 3 has. Its settings page fails at a key that it does not know."""

BY_HAND = {"plugins_dir"}
"""Whoever sets these has their own code run: no matter for those who only reach the API."""


def as_file(settings: ManagerSettings) -> dict[str, Any]:
    """Return all settings as they could stand in a file, secrets too."""
    fields = options_of(ManagerSettings)
    return {key: written(field, getattr(settings, field.name)) for key, field in fields.items()}


def changes_for(loaded: Loaded[ManagerSettings], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes to the file that make the settings as *wanted*.

    A mask keeps the secret it stands for, None is the default. Raises `ConfigError` for
    what the file cannot change, because the environment or the command line wins over it.
    """
    present = as_file(loaded.settings)
    for key in sorted(wanted.keys() - present.keys()):
        log.warning("a client wants to set %r, which is no setting; it is left out", key)
    known = {key: value for key, value in wanted.items() if key in present}
    asked = unmasked(known, present)
    changes = _differing({k: v for k, v in asked.items() if k != "variables"}, present)
    if "variables" in asked:
        changes |= _variables(loaded, asked["variables"], present["variables"])
    if "_meta" in changes:
        raise ConfigError("_meta.version: must be 3; a file's format is no setting")
    if by_hand := changes.keys() & BY_HAND:
        raise ConfigError(f"{min(by_hand)}: can be changed in the settings file only, by hand")
    _refuse_overridden(loaded, changes)
    return changes


def _differing(wanted: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for key, value in wanted.items():
        old = present.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            if inner := _differing(value, old):
                changes[key] = inner
        elif value != old or isinstance(value, bool) != isinstance(old, bool):
            changes[key] = value
    return changes


def _variables(
    loaded: Loaded[ManagerSettings], wanted: Any, present: Mapping[str, Any]
) -> dict[str, Any]:
    if not isinstance(wanted, Mapping):
        return {"variables": wanted}  # which is wrong, and is told so by who reads it
    changes = {key: value for key, value in wanted.items() if not _same(key, value, present)}
    gone = dict.fromkeys(present.keys() - wanted.keys())
    if not changes and not gone:
        return {}
    if loaded.source_of("variables") != "file":
        # The section replaces the default variables: those that stay have to be in it.
        return {"variables": dict(wanted)}
    return {"variables": {**changes, **gone}}


def _same(key: str, value: Any, present: Mapping[str, Any]) -> bool:
    """Say whether a variable means what it did; a list of platforms may be written out."""
    if key not in present:
        return False
    try:
        new, old = (read_variables(as_node({key: v}, "")) for v in (value, present[key]))
    except Wrong:
        return False
    return new == old


def _refuse_overridden(loaded: Loaded[ManagerSettings], changes: Mapping[str, Any]) -> None:
    for key in _leaves(changes):
        source = loaded.source_of(key)
        if source in ("environment", "argument"):
            kind = "variable" if source == "environment" else "option of the command line"
            raise ConfigError(
                f"{key}: {loaded.where_of(key)} wins over the settings file;"
                f" change that {kind} and start the Manager anew"
            )


def _leaves(changes: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    # A section counts as set by whoever has set one key in it; what matters is the key.
    for key, value in changes.items():
        if value and isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def shown(settings: ManagerSettings) -> dict[str, Any]:
    """Return what Flamenco's settings page gets: its own keys, secrets masked."""
    present = as_file(settings)
    found: dict[str, Any] = masked({key: present[key] for key in FLAMENCO_KEYS})
    return found
