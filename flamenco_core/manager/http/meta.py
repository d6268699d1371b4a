"""The ``meta`` operations: what this Manager is."""

from __future__ import annotations

from typing import Any

from litestar import Controller, get

from flamenco_core import __version__
from flamenco_core.errors import BadRequest
from flamenco_core.manager.http.plumbing import Answer, Request, manager_of, reply
from flamenco_core.manager.usecases.farm_status import report_farm
from flamenco_core.offers.operations import operation
from flamenco_core.wire import meta as wire

__all__ = ["MetaController"]


AUDIENCE = {"audience": wire.ManagerVariableAudience}


class MetaController(Controller):
    """Version, settings for clients, variables, plugins."""

    path = "/api/v3"
    tags = ["meta"]

    @get("/version", opt=operation("getVersion", wire.FlamencoVersion))
    async def version(self, request: Request[Any, Any, Any]) -> Answer:
        """Say who answers."""
        settings = manager_of(request).settings
        short = settings.shown_version or __version__
        name = settings.manager_name
        return reply(
            wire.FlamencoVersion(version=short, shortversion=short, name=name, git=__version__)
        )

    @get("/configuration", opt=operation("getConfiguration", wire.ManagerConfiguration))
    async def configuration(self, request: Request[Any, Any, Any]) -> Answer:
        """Say what a web app needs to start."""
        manager = manager_of(request)
        return reply(
            wire.ManagerConfiguration(
                storageLocation=manager.storage.location,
                shamanEnabled=manager.storage.shaman,
                isFirstRun=manager.settings.is_first_run,
            )
        )

    @get(
        "/configuration/variables/{audience:str}/{platform:str}",
        opt=operation("getVariables", dict[str, wire.ManagerVariable], path=AUDIENCE),
    )
    async def variables(self, request: Request[Any, Any, Any]) -> Answer:
        """List the variables of one audience and platform."""
        audience, platform = _whose(request)
        known = manager_of(request).variables.values_for(audience, platform)
        return reply(
            {
                name: wire.ManagerVariable(found.value, found.is_twoway)
                for name, found in known.items()
            }
        )

    @get(
        "/configuration/shared-storage/{audience:str}/{platform:str}",
        opt=operation("getSharedStorage", wire.SharedStorageLocation, path=AUDIENCE),
    )
    async def shared_storage(self, request: Request[Any, Any, Any]) -> Answer:
        """Say where one audience on one platform finds the job storage."""
        manager = manager_of(request)
        audience, platform = _whose(request)
        location = manager.variables.expand_text(manager.storage.location, audience, platform)
        return reply(
            wire.SharedStorageLocation(
                location=location,
                audience=audience,
                platform=platform,
                shamanEnabled=manager.storage.shaman,
            )
        )

    @get("/status", opt=operation("getFarmStatus", wire.FarmStatusReport))
    async def status(self, request: Request[Any, Any, Any]) -> Answer:
        """Say in a word what the farm is doing."""
        status = await manager_of(request).database.read(report_farm)
        return reply(wire.FarmStatusReport(status))

    @get("/plugins", opt=operation("getPlugins", wire.PluginList))
    async def plugins(self, request: Request[Any, Any, Any]) -> Answer:
        """List the plugins, those that are off with the reason."""
        return reply(
            wire.PluginList(
                [
                    wire.PluginState(
                        name=info.name,
                        origin=info.origin,
                        state=info.state,
                        hooks=list(info.hooks),
                        offers=list(info.offers),
                        version=info.version,
                        error=info.error,
                    )
                    for info in manager_of(request).plugins
                ]
            )
        )


def _whose(request: Request[Any, Any, Any]) -> tuple[wire.ManagerVariableAudience, str]:
    audience, platform = request.path_params["audience"], request.path_params["platform"]
    if audience not in tuple(wire.ManagerVariableAudience):
        raise BadRequest(f"audience must be workers or users, not {audience!r}")
    return wire.ManagerVariableAudience(audience), platform
