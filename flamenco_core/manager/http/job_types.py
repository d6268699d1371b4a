"""The ``jobs`` operations on job types."""

from __future__ import annotations

from typing import Any

from litestar import Controller, get

from flamenco_core.errors import NotFound, UnknownJobType
from flamenco_core.manager.http.plumbing import Answer, Request, manager_of, reply
from flamenco_core.offers.operations import operation
from flamenco_core.wire.job_types import AvailableJobType, AvailableJobTypes, JobTypesState

__all__ = ["JobTypeController"]


class JobTypeController(Controller):
    """What kinds of jobs can be submitted."""

    path = "/api/v3/jobs"
    tags = ["jobs"]

    @get("/types", opt=operation("getJobTypes", AvailableJobTypes))
    async def job_types(self, request: Request[Any, Any, Any]) -> Answer:
        """List all job types, by name."""
        return reply(AvailableJobTypes(await manager_of(request).job_type_watch.shown()))

    @get("/types/state", opt=operation("getJobTypesState", JobTypesState))
    async def state(self, request: Request[Any, Any, Any]) -> Answer:
        """Tell where job types come from, and what is wrong with those not offered."""
        return reply(await manager_of(request).job_type_watch.state())

    @get("/type/{typeName:str}", opt=operation("getJobType", AvailableJobType))
    async def job_type(self, request: Request[Any, Any, Any]) -> Answer:
        """Show one job type."""
        try:
            found = await manager_of(request).job_type_watch.get(request.path_params["typeName"])
        except UnknownJobType as error:
            raise NotFound(str(error)) from error
        return reply(found.shown)
