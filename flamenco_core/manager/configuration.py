"""Settings that change while the Manager works: by hand in the file, or through the API.

An edit that is wrong changes nothing: the settings in force stay, and what is wrong is said
once in the log and shown to whoever asks. What counts only after a restart is named.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import attrs

from flamenco_core.config import Loaded
from flamenco_core.config.listing import Value, values_of
from flamenco_core.config.save import changed_text, write_settings
from flamenco_core.config.values import Acts
from flamenco_core.config.yaml_file import read_yaml
from flamenco_core.domain.events import SettingsChanged
from flamenco_core.errors import BadRequest, ConfigError, Conflict
from flamenco_core.manager.old_settings import TODAY, steps_to_today
from flamenco_core.manager.plugin_sections import PluginSections
from flamenco_core.manager.settings import ManagerSettings
from flamenco_core.manager.wanted import changes_for

__all__ = ["Author", "Configuration", "NewSettings"]

log = logging.getLogger(__name__)

Signature = tuple[int, int, int] | None
NewSettings = Callable[[ManagerSettings, ManagerSettings], None]
"""Is told the settings before and after a change, on the event loop."""


@attrs.frozen(kw_only=True)
class Author:
    """Through what the settings were changed, and by whom if that is known."""

    source: Literal["file", "web", "command line"] = "file"
    who: str = ""

    def __str__(self) -> str:
        return f"by the {self.source}" + (f" ({self.who})" if self.who else "")

    def event(self, keys: Iterable[str], restart_needed: Iterable[str]) -> SettingsChanged:
        """Return what is told of a change: names, never values."""
        return SettingsChanged(
            keys=tuple(keys),
            source=self.source,
            who=self.who,
            restart_needed=tuple(restart_needed),
        )


WEB = Author(source="web")


class Configuration:
    """The settings in force, and where they come from.

    *take* lets loaded settings count. ``problem`` says what is wrong with the file as it
    is now; it is empty when the file is in force.
    """

    def __init__(
        self, loaded: Loaded[ManagerSettings], take: Callable[[Loaded[ManagerSettings]], None]
    ) -> None:
        self.loaded = loaded
        self.problem = ""
        self.followers: list[NewSettings] = []
        """Called after each change."""
        self.sections = PluginSections()
        self.told: Callable[[SettingsChanged], None] = lambda event: None
        """Hears of each change, last of all."""
        self._take = take
        self._started = loaded
        # Of what counts after a restart only, but was let count all the same.
        self._moved: dict[str, Value] = {}
        # In force, and seen at the last look: a file that changes is left to come to rest.
        self._read = self._seen = _signature(loaded.path)
        self._lock = asyncio.Lock()

    @property
    def path(self) -> Path:
        """The settings file; raises `Conflict` for settings that were given in code."""
        if self.loaded.path is None:
            raise Conflict(
                "this Manager got its settings from the program that made it; change them"
                " there, or start it with a settings file"
            )
        return self.loaded.path

    @property
    def restart_needed(self) -> list[str]:
        """The keys whose new values count only after a restart."""
        changed = _changed(values_of(self._started) | self._moved, values_of(self.loaded))
        failed = tuple(f"plugins.{plugin}." for plugin in self.sections.failed)
        return [
            key
            for key, acts in changed.items()
            if acts == "after a restart" or key.startswith(failed)
        ]

    def counts_now(self, key: str) -> None:
        """Note that the present value of a setting counts without a restart after all."""
        self._moved[key] = values_of(self.loaded)[key]

    async def look(self) -> None:
        """Read the file again if it has changed since, and is at rest."""
        if self.loaded.path is None:
            return
        signature = await asyncio.to_thread(_signature, self.loaded.path)
        at_rest, self._seen = signature == self._seen, signature
        if signature == self._read or not at_rest:
            return
        async with self._lock:
            self._read = signature
            await self._reload()

    async def _reload(self) -> None:
        try:
            fresh = await asyncio.to_thread(self.loaded.again)
            _refuse_nothing(self.loaded, fresh)
        except ConfigError as error:
            self.problem = _in_one_line(error)
            log.error("the settings stay as they were: %s", self.problem)
            return
        self._accept(fresh, Author())

    async def change(self, wanted: Mapping[str, Any], author: Author = WEB) -> None:
        """Write what differs from the settings in force to the file, and let it count.

        Raises `BadRequest` with file, line, key and cure for what is wrong, `Conflict`
        when nothing can be written. Either way nothing is changed then.
        """
        async with self._lock:
            made = await self._made(wanted)
            if made is None:
                return
            text, fresh = made
            try:
                await asyncio.to_thread(write_settings, self.path, text)
            except ConfigError as error:
                raise Conflict(str(error)) from error
            self._read = self._seen = _signature(self.path)
            self._accept(fresh, author)

    async def rehearse(self, wanted: Mapping[str, Any]) -> Loaded[ManagerSettings]:
        """Return the settings that `change` would make, and change nothing.

        Raises the same.
        """
        made = await self._made(wanted)
        return self.loaded if made is None else made[1]

    async def _made(self, wanted: Mapping[str, Any]) -> tuple[str, Loaded[ManagerSettings]] | None:
        try:
            changes = changes_for(self.loaded, wanted)
            return await asyncio.to_thread(self._checked, changes) if changes else None
        except ConfigError as error:
            raise BadRequest(_in_one_line(error)) from error

    def _checked(self, changes: Mapping[str, Any]) -> tuple[str, Loaded[ManagerSettings]]:
        if self.path.exists():
            first = steps_to_today(read_yaml(self.path))
        else:
            # Flamenco's own Manager reads no file without it; who goes back needs it.
            first = [{"_meta": {"version": TODAY}}]
        text = changed_text(self.path, *first, changes)
        return text, self.loaded.again(text)

    def _accept(self, fresh: Loaded[ManagerSettings], author: Author) -> None:
        before, self.loaded, self.problem = self.loaded, _still_set_up(self.loaded, fresh), ""
        changed = _changed(values_of(before), values_of(self.loaded))
        if not changed:
            return
        self._take(self.loaded)
        log.info("new settings, %s: %s", author, ", ".join(changed))
        self.sections.tell(self.loaded, changed)
        for follower in self.followers:
            follower(before.settings, self.loaded.settings)
        # When a farm has been set up, its server opens to others, and tells if it cannot.
        opens = {"listen"} if self.followers and before.settings.is_first_run else set()
        if waiting := [key for key in self.restart_needed if key not in opens]:
            log.warning("restart the Manager to let these count: %s", ", ".join(waiting))
        self.told(author.event(changed, waiting))


def _signature(path: Path | None) -> Signature:
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None


def _changed(before: Mapping[str, Value], after: Mapping[str, Value]) -> dict[str, Acts]:
    return {key: value[1] for key, value in after.items() if before.get(key) != value}


def _refuse_nothing(before: Loaded[Any], fresh: Loaded[Any]) -> None:
    """Refuse a file that is gone or empty: that is an accident, not everybody's default."""
    if "file" in before.sources.values() and "file" not in fresh.sources.values():
        what = "has no settings in it any more" if fresh.exists else "is not there any more"
        raise ConfigError(f"{fresh.path}: {what}; put it back, or restart to use defaults")


def _still_set_up(
    before: Loaded[ManagerSettings], fresh: Loaded[ManagerSettings]
) -> Loaded[ManagerSettings]:
    """Leave a farm that works set up; without its storage all Workers would be sent away."""
    if before.settings.is_first_run or not fresh.settings.is_first_run:
        return fresh
    log.warning("shared_storage_path is empty: the Manager asks for it when it starts again")
    kept = before.settings.shared_storage_path
    return attrs.evolve(fresh, settings=attrs.evolve(fresh.settings, shared_storage_path=kept))


def _in_one_line(error: ConfigError) -> str:
    return "; ".join(str(error).splitlines())
