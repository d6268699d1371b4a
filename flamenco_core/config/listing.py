"""Every setting in one flat list: its value, where that is from, when a change counts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import attrs

from flamenco_core.config.load import Loaded
from flamenco_core.config.secrets import masked
from flamenco_core.config.values import Acts, acts_of, help_of, is_section, options_of, written
from flamenco_core.errors import ConfigError

__all__ = ["Listed", "Value", "all_settings", "settings_of", "values_of", "without_effect"]

Value = tuple[Any, Acts]


@attrs.frozen(kw_only=True)
class Listed:
    """One setting; sub-keys are written ``shaman.enabled``.

    ``value`` is plain data, with a mask for secrets. ``source`` is ``default``, ``file``,
    ``environment`` or ``argument``, and ``where`` the line, variable or argument.
    """

    key: str
    value: Any
    source: str
    where: str
    acts: Acts
    help: str


def all_settings(loaded: Loaded[Any]) -> Iterator[Listed]:
    """Yield the settings in the order of the reference page, then those of plugins."""
    for key, field, value, acts in settings_of(loaded.settings):
        if key != "plugins":
            yield _listed(loaded, key, masked(value, key), acts, help_of(field))
    for plugin, kind in sorted(loaded.sections.items()):
        with contextlib.suppress(ConfigError):
            section = loaded.section(plugin, kind)
            for key, field, value, acts in settings_of(
                section, f"plugins.{plugin}.", loaded.acts_of(plugin)
            ):
                yield _listed(loaded, key, masked(value, key), acts, help_of(field))


def without_effect(loaded: Loaded[Any]) -> list[str]:
    """Return the keys that somebody has set although nothing uses them yet."""
    listed = all_settings(loaded)
    return [s.key for s in listed if s.acts == "not yet" and s.source != "default"]


def _listed(loaded: Loaded[Any], key: str, value: Any, acts: Acts, help: str) -> Listed:
    source, where = loaded.source_of(key), loaded.where_of(key)
    return Listed(key=key, value=value, source=source, where=where, acts=acts, help=help)


def settings_of(
    settings: Any, prefix: str = "", acts: Acts = "after a restart"
) -> Iterator[tuple[str, attrs.Attribute[Any], Any, Acts]]:
    """Yield key, field, plain value and when a change counts, for each setting."""
    for key, field in options_of(type(settings)).items():
        value, when = getattr(settings, field.name), acts_of(field) or acts
        if is_section(field.type):
            yield from settings_of(value, f"{prefix}{key}.", when)
        else:
            yield f"{prefix}{key}", field, written(field, value), when


def values_of(loaded: Loaded[Any]) -> dict[str, Value]:
    """Return value, secrets too, and when a change counts, for each setting by its key."""
    rows = list(settings_of(loaded.settings))
    for plugin, kind in loaded.sections.items():
        # A section that was wrong at the start has turned its plugin off.
        with contextlib.suppress(ConfigError):
            section = loaded.section(plugin, kind)
            rows += settings_of(section, f"plugins.{plugin}.", loaded.acts_of(plugin))
    return {key: (value, acts) for key, _, value, acts in rows if key != "plugins"}
