"""The plugins that take a change of their section of the settings at work."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import attrs

from flamenco_core.config import Loaded

__all__ = ["PluginSections"]

log = logging.getLogger(__name__)

S = TypeVar("S")


@attrs.frozen(kw_only=True)
class _Follower:
    plugin: str
    kind: type[Any]
    take: Callable[[Any], None]


class PluginSections:
    """Tells plugins of changes in their sections."""

    def __init__(self) -> None:
        self._followers: list[_Follower] = []
        self.failed: set[str] = set()
        """The plugins that did not take the last change; a restart lets it count."""

    def follow(
        self, loaded: Loaded[Any], plugin: str, kind: type[S], take: Callable[[S], None]
    ) -> S:
        """Return a plugin's section now, and let *take* have it after each change."""
        found = loaded.section(plugin, kind)
        loaded.live.add(plugin)
        self._followers.append(_Follower(plugin=plugin, kind=kind, take=take))
        return found

    def tell(self, loaded: Loaded[Any], changed: Iterable[str]) -> None:
        """Let the plugins have their new sections; *changed* are keys of all settings."""
        told = {key.split(".")[1] for key in changed if key.startswith("plugins.")}
        for follower in self._followers:
            if follower.plugin in told:
                self._tell_one(loaded, follower)

    def _tell_one(self, loaded: Loaded[Any], follower: _Follower) -> None:
        plugin = follower.plugin
        try:
            follower.take(loaded.section(plugin, follower.kind))
        # The border to other people's code: the other plugins get theirs all the same.
        except Exception:
            log.exception("plugin %r could not take its new settings", plugin)
            self.failed.add(plugin)
        else:
            self.failed.discard(plugin)
