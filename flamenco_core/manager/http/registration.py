"""How Workers get in, and change the secret with which they stay in."""

from __future__ import annotations

from typing import Any

from litestar import Controller, post

from flamenco_core.builtin.worker_identity import shown_hash
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.errors import BadRequest
from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    body_of,
    empty,
    manager_of,
    peer,
    reply,
    worker_of,
)
from flamenco_core.manager.usecases import workers
from flamenco_core.manager.usecases.registration import Arrival, let_in
from flamenco_core.manager.usecases.rotation import change_secret
from flamenco_core.offers.operations import operation
from flamenco_core.tokens import secret_hash
from flamenco_core.wire import worker as wire

__all__ = ["RegistrationController"]

SHORTEST = 32
LONGEST_MACHINE = 100


class RegistrationController(Controller):
    """Registration of Workers, and their secrets."""

    path = "/api/v3/worker"
    tags = ["worker"]

    @post(
        "/register-worker",
        opt=operation("registerWorker", wire.RegisteredWorker, takes=wire.WorkerRegistration),
        status_code=200,
    )
    async def register_worker(self, request: Request[Any, Any, Any]) -> Answer:
        """Let a machine join the farm, if the settings let it."""
        manager = manager_of(request)
        body = await body_of(request, wire.WorkerRegistration)
        if not body.secret:
            raise BadRequest("WorkerRegistration.secret must not be empty")
        new = workers.Registration(
            uuid=manager.new_id(),
            secret_hash=secret_hash(body.secret),
            name=body.name,
            address=peer(request),
            platform=body.platform,
            task_types=body.supported_task_types,
        )
        arrival = Arrival(worker=new, shown=_shown(request), machine=_machine(body))
        policy = manager.settings.worker_registration
        return reply(_registered(await manager.database.write(let_in, arrival, policy), new))

    @post(
        "/rotate-secret",
        opt=operation("rotateSecret", takes=wire.NewSecret, refuses=[409]),
        status_code=200,
    )
    async def rotate_secret(self, request: Request[Any, Any, Any]) -> Answer:
        """Take in the secret that a Worker uses from now on; the former counts for a while."""
        manager, worker = manager_of(request), worker_of(request)
        body = await body_of(request, wire.NewSecret)
        if len(body.secret) < SHORTEST:
            raise BadRequest(f"NewSecret.secret must have {SHORTEST} characters at least")
        overlap = manager.settings.worker_registration.overlap
        await manager.database.write(
            change_secret,
            worker,
            shown=shown_hash(request),
            new=secret_hash(body.secret),
            overlap=overlap.nanoseconds // 1000,
        )
        return empty()


def _shown(request: Request[Any, Any, Any]) -> str:
    """Return what opens the door: from the header, or from the address it came to."""
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and text.strip():
        return text.strip()
    return str(request.scope["state"].get("ticket", ""))


def _machine(body: wire.WorkerRegistration) -> str:
    machine = body.machine or ""
    if len(machine) > LONGEST_MACHINE:
        raise BadRequest(f"WorkerRegistration.machine has {LONGEST_MACHINE} characters at most")
    return machine


def _registered(uuid: str, new: workers.Registration) -> wire.RegisteredWorker:
    return wire.RegisteredWorker(
        uuid=uuid,
        name=new.name,
        address=new.address,
        status=WorkerStatus.OFFLINE,
        platform=new.platform,
        software="",
        supported_task_types=list(new.task_types),
    )
