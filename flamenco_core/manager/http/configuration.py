"""The settings: as Flamenco's settings page has them, and as our own does."""

from __future__ import annotations

from typing import Any

from litestar import Controller, get, post, put

from flamenco_core.config.listing import all_settings, without_effect
from flamenco_core.config.schema import schema_of
from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    author_of,
    body_of,
    empty,
    manager_of,
    reply,
)
from flamenco_core.manager.rehearsal import unknown_in, would_change
from flamenco_core.manager.settings import ManagerSettings
from flamenco_core.manager.wanted import shown
from flamenco_core.offers.operations import operation
from flamenco_core.wire import setup as wire

__all__ = ["ConfigurationController"]

FILE = dict[str, Any]
"""The settings, by key."""


class ConfigurationController(Controller):
    """The settings file, and what is known about it."""

    path = "/api/v3/configuration"
    tags = ["meta"]

    @get("/file", opt=operation("getConfigurationFile", FILE))
    async def file(self, request: Request[Any, Any, Any]) -> Answer:
        """Return the settings in force, as Flamenco's page knows them; secrets are masked."""
        return reply(shown(manager_of(request).settings))

    @put(
        "/file",
        opt=operation("updateConfigurationFile", takes=FILE, refuses=[409]),
        status_code=200,
    )
    async def update_file(self, request: Request[Any, Any, Any]) -> Answer:
        """Write what differs to the file; name in a header what needs a restart."""
        configuration = manager_of(request).configuration
        wanted = await body_of(request, dict[str, Any])
        await configuration.change(wanted, author_of(request))
        waiting = ", ".join(configuration.restart_needed)
        return empty(headers={"Restart-Needed": waiting} if waiting else None)

    @post(
        "/rehearse",
        opt=operation(
            "rehearseConfiguration", wire.ConfigurationRehearsal, takes=FILE, refuses=[409]
        ),
        status_code=200,
    )
    async def rehearse(self, request: Request[Any, Any, Any]) -> Answer:
        """Say what writing these settings would change; nothing is written."""
        configuration = manager_of(request).configuration
        wanted = await body_of(request, dict[str, Any])
        fresh = await configuration.rehearse(wanted)
        return reply(
            wire.ConfigurationRehearsal(
                changes=list(would_change(configuration.loaded, fresh)),
                unknown=unknown_in(wanted, configuration.loaded, fresh),
            )
        )

    @get("/schema", opt=operation("getConfigurationSchema", FILE))
    async def schema(self, request: Request[Any, Any, Any]) -> Answer:
        """Return the JSON schema of all settings, those of plugins too."""
        loaded = manager_of(request).loaded
        return reply(schema_of(ManagerSettings, loaded.sections, loaded.live))

    @get("/settings", opt=operation("getConfigurationSettings", wire.SettingsList))
    async def settings(self, request: Request[Any, Any, Any]) -> Answer:
        """List all settings, each with where it is from and when a change counts."""
        found = all_settings(manager_of(request).loaded)
        return reply(
            wire.SettingsList(
                [
                    wire.Setting(
                        key=setting.key,
                        source=setting.source,
                        where=setting.where,
                        acts=setting.acts,
                        help=setting.help,
                        value=setting.value,
                    )
                    for setting in found
                ]
            )
        )

    @get("/state", opt=operation("getConfigurationState", wire.ConfigurationState))
    async def state(self, request: Request[Any, Any, Any]) -> Answer:
        """Say whether the file is in force, and what waits for a restart."""
        manager = manager_of(request)
        configuration = manager.configuration
        return reply(
            wire.ConfigurationState(
                file=str(manager.loaded.path or ""),
                problem=configuration.problem,
                restart_needed=configuration.restart_needed,
                no_effect=without_effect(manager.loaded),
                unknown=[str(unknown) for unknown in manager.loaded.unknown()],
            )
        )
