"""What hooks receive as ``worker`` or ``host`` in a Worker process."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Literal

import anyio
import attrs

from flamenco_core.clock import Clock, NewId
from flamenco_core.config import Loaded
from flamenco_core.errors import PluginError
from flamenco_core.offers.command import Command
from flamenco_core.plugins import Plugins
from flamenco_core.worker.settings import WorkerSettings

__all__ = ["Worker"]

log = logging.getLogger(__name__)


@attrs.define(kw_only=True, eq=False)
class Worker:
    """One Worker process."""

    loaded: Loaded[WorkerSettings]
    plugins: Plugins
    clock: Clock
    new_id: NewId
    id: str = ""
    """The worker's UUID on the farm; empty until it has signed on."""
    commands: dict[str, type[Command]] = attrs.field(factory=dict)
    """What tasks may run here, by name."""
    task_types: list[str] = attrs.field(factory=list)
    """The task types of the settings, without those that `check_readiness` took away."""
    task_environment: dict[str, str] = attrs.field(factory=dict)
    """Variables for the programs of the present task; for ``wrap_task`` to set and unset."""
    hurry: anyio.Event = attrs.field(factory=anyio.Event)
    """Set when the Worker has to stop at once."""

    @property
    def settings(self) -> WorkerSettings:
        """What this Worker was told."""
        return self.loaded.settings

    @property
    def side(self) -> Literal["manager", "worker"]:
        """Which of the two processes this is."""
        return "worker"

    @property
    def name(self) -> str:
        """The worker's name on the farm."""
        return self.settings.name

    @property
    def home(self) -> Path:
        """Folder of the worker's own files."""
        return self.settings.home_path

    def settings_of(self, plugin: str, kind: type[Any]) -> Any:
        """Return the plugin's section of the settings as an instance of *kind*.

        Raises `ConfigError` that names the section and the wrong key.
        """
        return self.loaded.section(plugin, kind)

    def collect_commands(self) -> None:
        """Ask the plugins for their commands; turn off those whose commands are malformed."""
        hook = "register_commands"
        # Not copied: when a plugin is turned off, its commands vanish from here.
        self.commands = self.plugins.registered(hook, worker=self)
        for name, command in list(self.commands.items()):
            owner = self.plugins.owner_of(hook, name)
            if owner and (why := _malformed(command)):
                self.plugins.turn_off(owner, PluginError(owner, f"command {name!r} {why}"))


def _malformed(command: Any) -> str:
    if not (isinstance(command, type) and issubclass(command, Command)):
        return "must be a subclass of Command"
    # A subclass without fields of its own may do without: it binds, say, a finder.
    own = vars(command)
    if not attrs.has(command) or (own.get("__annotations__") and "__attrs_attrs__" not in own):
        return "must be an attrs class; put @attrs.frozen above it"
    return ""
