"""What a plugin can ask of the process it runs in, Manager or Worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from flamenco_core.clock import Clock, NewId
    from flamenco_core.plugins import Plugins

__all__ = ["Host"]


class Host(Protocol):
    """The process that plugins live in."""

    @property
    def side(self) -> Literal["manager", "worker"]:
        """Which of the two it is."""

    @property
    def plugins(self) -> Plugins:
        """All plugins of this process."""

    @property
    def clock(self) -> Clock:
        """Time; plugins take it from here only."""

    @property
    def new_id(self) -> NewId:
        """A source of new UUIDs."""

    def settings_of(self, plugin: str, kind: type[Any]) -> Any:
        """Return the plugin's section of the settings, as an instance of *kind*.

        *kind* is an attrs class with defaults. Raises `ConfigError` for a wrong value.
        """
