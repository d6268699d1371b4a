"""Built-in: workers prove who they are with the secret that they registered with.

The secret is 256 random bits, so a plain hash is as good as a slow one, and checking it
costs next to nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flamenco_core.domain.registration import Admission
from flamenco_core.errors import Forbidden
from flamenco_core.hookspecs import hookimpl
from flamenco_core.offers.identity import Action, Identity
from flamenco_core.offers.problem import Problem
from flamenco_core.tokens import NOBODY, same, secret_hash

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["AWAITS_APPROVAL", "check_access", "find_identity", "shown_hash"]

AWAITS_APPROVAL = "this Worker waits until an operator approves it, with 'flamenco workers approve'"
WHILE_PENDING = frozenset(
    {
        *("signOn", "signOff", "workerState", "workerStateChanged", "rotateSecret"),
        *("getVersion", "getLive", "getReady"),
    }
)
"""All that a worker may do which nobody has approved yet."""
WORKERS_ONLY = frozenset(
    {
        "signOn",
        "signOff",
        "workerState",
        "workerStateChanged",
        "scheduleTask",
        "taskUpdate",
        "mayWorkerRun",
        "taskOutputProduced",
        "rotateSecret",
    }
)
OPERATORS_ONLY = frozenset(
    {
        "approveWorker",
        "rejectWorker",
        "mergeWorkers",
        "rotateWorkerSecret",
        "fetchRegistrationTokens",
        "createRegistrationToken",
        "revokeRegistrationToken",
        "updateConfigurationFile",
    }
)
"""What decides who gets in."""
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@hookimpl
async def find_identity(connection: Any, manager: Manager) -> Identity | None:
    """Recognize a worker by its Basic credentials."""
    # Flamenco's Workers send an empty header when they register, or even an old one.
    if connection.scope["path"].endswith("/register-worker"):
        return None
    worker, secret = _credentials(connection.headers.get("authorization", ""))
    # Another name is a person's, perhaps meant for a proxy in front.
    if not UUID.fullmatch(worker):
        return None
    digest = secret_hash(secret)
    now = manager.clock.now()
    row = await manager.credentials_of(worker, lambda row: _fits(digest, row, now))
    # Compared for an unknown worker as well: the time must not tell which ids exist.
    if not _fits(digest, row, now):
        raise Forbidden("unknown worker, or its secret is wrong; register it again")
    if row.is_removed:
        await manager.old_workers.restore(worker)
    return Identity(
        kind="worker",
        id=worker,
        name=row.name,
        is_pending=bool(row.is_pending),
        must_rotate=bool(row.must_rotate),
    )


def _fits(digest: str, row: Any, now: int) -> bool:
    if same(digest, row.secret_hash if row else NOBODY):
        return row is not None
    # The secret that the worker had before, which counts for a while.
    former = row.former_hash if row else None
    return same(digest, former or NOBODY) and bool(former) and now < row.former_until


def shown_hash(connection: Any) -> str:
    """Return the hash of the secret that a worker showed."""
    return secret_hash(_credentials(connection.headers.get("authorization", ""))[1])


def _credentials(header: str) -> tuple[str, str]:
    kind, _, text = header.partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        worker, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Forbidden("the Authorization header is not valid Basic authentication") from None
    return worker.lower(), secret


@hookimpl
def check_access(identity: Identity, action: Action, manager: Manager) -> Iterable[Problem]:
    """Keep the operations of workers to workers, and who gets in to operators."""
    operation = action.operation
    if identity.kind == "worker":
        if identity.is_pending and operation not in WHILE_PENDING:
            yield Problem(AWAITS_APPROVAL)
        elif operation in OPERATORS_ONLY and _is_closed(manager):
            yield Problem("a Worker has no say in who may join the farm")
    elif operation in WORKERS_ONLY:
        yield Problem("only a registered worker may do this; its id and secret are missing")
    elif operation in OPERATORS_ONLY and _is_closed(manager) and not _may_operate(identity):
        yield Problem(
            "who may join the farm is decided at the Manager's own machine, as long as"
            " 'worker_registration: mode:' is not 'open'; run the command there"
        )


def _is_closed(manager: Manager) -> bool:
    return manager.settings.worker_registration.mode is not Admission.OPEN


def _may_operate(identity: Identity) -> bool:
    return identity.kind == "person" or identity.is_near
