"""What new settings would change, in words for people who have not decided yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flamenco_core.config import Loaded
from flamenco_core.config.listing import Value, values_of
from flamenco_core.config.secrets import masked
from flamenco_core.config.values import options_of
from flamenco_core.manager.settings import ManagerSettings
from flamenco_core.wire.setup import SettingChange

__all__ = ["unknown_in", "would_change"]


def would_change(
    before: Loaded[ManagerSettings], after: Loaded[ManagerSettings]
) -> Iterator[SettingChange]:
    """Yield the settings that differ, each variable by itself; secrets are masked."""
    old, new = _each(values_of(before)), _each(values_of(after))
    for key in [*new, *(key for key in old if key not in new)]:
        (was, acts), (will, _) = old.get(key) or (None, new[key][1]), new.get(key, (None, ""))
        if was != will:
            yield SettingChange(
                key=key, acts=acts, before=masked(was, key), after=masked(will, key)
            )


def _each(values: Mapping[str, Value]) -> dict[str, Value]:
    found = dict(values)
    variables, acts = found.pop("variables")
    return found | {f"variables.{name}": (value, acts) for name, value in variables.items()}


def unknown_in(
    wanted: Mapping[str, Any], before: Loaded[ManagerSettings], after: Loaded[ManagerSettings]
) -> list[str]:
    """Return the keys of *wanted* that no setting has, nor a plugin that is here."""
    known = {unknown.key for unknown in before.unknown()}
    extra = [key for key in wanted if key not in options_of(ManagerSettings)]
    sections = wanted.get("plugins")
    extra += [
        f"plugins.{name}"
        for name in (sections if isinstance(sections, Mapping) else {})
        if name not in after.sections
    ]
    return extra + [found.key for found in after.unknown() if found.key not in known]
