"""The operations that test workers."""

from __future__ import annotations

import base64
from typing import Any

from litestar import Controller, delete, get, post

from flamenco_core.clock import rfc3339
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.trials import TrialStatus, test_status
from flamenco_core.errors import NotFound
from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    empty,
    manager_of,
    path_id,
    reply,
)
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.usecases.trials import TestResult, last_result
from flamenco_core.offers.operations import Raw, operation
from flamenco_core.pictures.kinds import MEDIA_TYPES, media_type_of
from flamenco_core.wire import trials as wire

__all__ = ["TrialController"]


class TrialController(Controller):
    """What workers can really do."""

    path = "/api/v3/worker-mgt/workers/{worker_id:str}/test"
    tags = ["worker-mgt"]

    @post(
        "/",
        opt=operation("testWorker", wire.WorkerTest, refuses=[409]),
        status_code=200,
    )
    async def test(self, request: Request[Any, Any, Any]) -> Answer:
        """Let a worker be tested as soon as it is free, outside any job."""
        worker, identity = path_id(request, "worker_id"), request.scope["state"]["identity"]
        return reply(_view(await manager_of(request).trials.ask(worker, identity.name)))

    @get("/", opt=operation("fetchWorkerTest", wire.WorkerTest))
    async def fetch(self, request: Request[Any, Any, Any]) -> Answer:
        """Show the newest test of a worker."""
        return reply(_view(await _last(request)))

    @delete("/", opt=operation("withdrawWorkerTest"), status_code=200)
    async def withdraw(self, request: Request[Any, Any, Any]) -> Answer:
        """End a test that waits or runs; what it has shown so far stays."""
        await manager_of(request).trials.withdraw(path_id(request, "worker_id"))
        return empty()

    @get("/{trial:str}/picture", opt=operation("fetchWorkerTestPicture", {200: Raw(*MEDIA_TYPES)}))
    async def picture(self, request: Request[Any, Any, Any]) -> Answer:
        """Return the image that the newest test has made."""
        name = request.path_params["trial"]
        for trial in (await _last(request)).trials:
            if trial.name == name and trial.picture:
                image = base64.b64decode(trial.picture)
                return Answer(image, media_type=media_type_of(image) or "image/png")
        raise NotFound(f"the newest test of this worker has no picture of a trial {name!r:.80}")


async def _last(request: Request[Any, Any, Any]) -> TestResult:
    return await manager_of(request).database.read(last_result, path_id(request, "worker_id"))


def _view(found: TestResult) -> wire.WorkerTest:
    test, worker = found.test, found.worker
    status = test_status(TrialStatus(trial.status) for trial in found.trials)
    return wire.WorkerTest(
        id=test.uuid,
        worker_id=worker.uuid,
        worker_name=worker.name,
        status=status,
        asked_at=rfc3339(test.asked_at),
        asked_by=test.asked_by or None,
        ended_at=None if test.ended_at is None else rfc3339(test.ended_at),
        waits_for=_waits_for(worker) if status is TrialStatus.QUEUED else None,
        trials=[_trial(trial, worker.uuid) for trial in found.trials],
    )


def _waits_for(worker: Row) -> str:
    if worker.status == WorkerStatus.AWAKE:
        return "the end of its present task"
    return f"the worker to be awake; it is {worker.status}"


def _trial(trial: Row, worker: str) -> wire.WorkerTrial:
    path = f"/api/v3/worker-mgt/workers/{worker}/test/{trial.name}/picture"
    has_ended = trial.started_at is not None and trial.ended_at is not None
    return wire.WorkerTrial(
        name=trial.name,
        task_type=trial.task_type,
        status=TrialStatus(trial.status),
        message=trial.words,
        log=trial.log,
        seconds=(trial.ended_at - trial.started_at) / 1_000_000 if has_ended else None,
        version=trial.version or None,
        picture=path if trial.picture else None,
    )
