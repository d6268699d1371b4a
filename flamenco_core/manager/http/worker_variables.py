"""What one Worker sees in place of variables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from litestar import Controller, get

from flamenco_core.domain.variables import VariableTable
from flamenco_core.errors import BadRequest
from flamenco_core.manager.http.plumbing import Answer, Request, manager_of, path_id, reply
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.offers.operations import operation
from flamenco_core.wire.registration import WorkerVariable, WorkerVariables

__all__ = ["WorkerVariablesController"]

AUDIENCE = "workers"
LONGEST = 4096
TEXT = {"text": Annotated[str, "What to show as the Worker would see it in a task."]}


class WorkerVariablesController(Controller):
    """Variables, as Workers see them."""

    path = "/api/v3/worker-mgt/workers/{worker_id:str}/variables"
    tags = ["worker-mgt"]

    @get("", opt=operation("fetchWorkerVariables", WorkerVariables, query=TEXT))
    async def fetch(self, request: Request[Any, Any, Any]) -> Answer:
        """Show what a Worker sees in place of each variable, and in a text."""
        manager, worker = manager_of(request), path_id(request, "worker_id")
        text = request.query_params.get("text")
        if text is not None and len(text) > LONGEST:
            raise BadRequest(f"'text' has {LONGEST} characters at most")
        row = await manager.database.read(worker_rows.worker_by_uuid, worker)
        table = manager.variables
        seen = WorkerVariables(
            platform=row.platform,
            variables=list(_views(table, row.platform)),
            # The same call that fills in the commands of its tasks.
            text=None if text is None else table.expand_text(text, AUDIENCE, row.platform),
        )
        return reply(seen)


def _views(table: VariableTable, platform: str) -> Iterator[WorkerVariable]:
    values = table.values_for(AUDIENCE, platform)
    for name, is_twoway in sorted(table.names.items()):
        found = values.get(name)
        value = found.value if found else None
        yield WorkerVariable(name=name, is_twoway=is_twoway, value=value)
