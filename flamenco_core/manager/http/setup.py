"""The operations of the set-up assistant; part of Flamenco's ``meta`` tag."""

from __future__ import annotations

from typing import Any

from litestar import Controller, get, post

from flamenco_core.errors import BadRequest
from flamenco_core.manager.first_start.assistant import chosen_settings
from flamenco_core.manager.first_start.blender_check import check_blender, find_blenders
from flamenco_core.manager.first_start.storage_check import check_storage
from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    author_of,
    body_of,
    empty,
    manager_of,
    reply,
)
from flamenco_core.offers.operations import operation
from flamenco_core.wire import setup as wire

__all__ = ["SetupController"]


class SetupController(Controller):
    """Checks of what a person has chosen, and what follows from it."""

    path = "/api/v3/configuration"
    tags = ["meta"]

    @post(
        "/check/shared-storage",
        opt=operation("checkSharedStoragePath", wire.PathCheckResult, takes=wire.PathCheckInput),
        status_code=200,
    )
    async def check_storage(self, request: Request[Any, Any, Any]) -> Answer:
        """Say whether a folder can be the shared storage."""
        path = (await body_of(request, wire.PathCheckInput)).path
        found = await check_storage(path)
        return reply(wire.PathCheckResult(path=path, is_usable=found.is_usable, cause=found.cause))

    @get("/check/blender", opt=operation("findBlenderExePath", list[wire.BlenderPathCheckResult]))
    async def find_blenders(self, request: Request[Any, Any, Any]) -> Answer:
        """List the Blenders of this machine."""
        return reply(await find_blenders(manager_of(request)))

    @post(
        "/check/blender",
        opt=operation(
            "checkBlenderExePath", wire.BlenderPathCheckResult, takes=wire.PathCheckInput
        ),
        status_code=200,
    )
    async def check_blender(self, request: Request[Any, Any, Any]) -> Answer:
        """Say whether a command or path starts a Blender."""
        return reply(await check_blender((await body_of(request, wire.PathCheckInput)).path))

    @post(
        "/setup-assistant",
        opt=operation("saveSetupAssistantConfig", takes=wire.SetupAssistantConfig, refuses=[409]),
        status_code=200,
    )
    async def save(self, request: Request[Any, Any, Any]) -> Answer:
        """Write what was chosen to the settings file; it counts from now on."""
        manager = manager_of(request)
        body = await body_of(request, wire.SetupAssistantConfig)
        chosen = chosen_settings(body, manager.settings)
        found = await check_storage(chosen["shared_storage_path"])
        if not found.is_usable:
            raise BadRequest(f"storageLocation: {found.cause}")
        await manager.configuration.change(chosen, author_of(request))
        return empty()
