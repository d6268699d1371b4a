"""Built-in: workers prove who they are with the secret that they registered with.

The secret is 256 random bits, so a plain hash is as good as a slow one, and checking it
costs next to nothing. What was right once is remembered until the worker is removed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs

from flamenco_core.domain.events import Event, WorkerDeleted
from flamenco_core.errors import Forbidden
from flamenco_core.hookspecs import hookimpl
from flamenco_core.offers.identity import Action, Identity
from flamenco_core.offers.problem import Problem

if TYPE_CHECKING:
    from flamenco_core.host import Host
    from flamenco_core.manager.host import Manager

__all__ = ["check_access", "find_identity", "on_event"]

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
    }
)
NOBODY = hashlib.sha256(b"").hexdigest()


@attrs.define
class Known:
    """Authorization headers that were found right, for one Manager."""

    by_header: dict[str, Identity] = attrs.field(factory=dict)


def _known(host: Any) -> Known:
    # With the Manager, not in this module: two Managers in one process are two farms.
    found: Known = host.memory.setdefault(__name__, Known())
    return found


@hookimpl
async def find_identity(connection: Any, manager: Manager) -> Identity | None:
    """Recognize a worker by its Basic credentials."""
    header: str = connection.headers.get("authorization", "")
    if (known := _known(manager).by_header.get(header)) is not None:
        return known
    worker, secret = _credentials(header)
    # Flamenco's Workers send an empty header when they register, or even an old one.
    if not worker or connection.url.path.endswith("/register-worker"):
        return None
    row = await manager.credentials_of(worker)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    # Compared for an unknown worker as well: the time must not tell which ids exist.
    if not hmac.compare_digest(digest, row.secret_hash if row else NOBODY) or row is None:
        raise Forbidden("unknown worker, or its secret is wrong; register it again")
    identity = Identity(kind="worker", id=worker, name=row.name)
    _known(manager).by_header[header] = identity
    return identity


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
def check_access(identity: Identity, action: Action) -> Iterable[Problem]:
    """Keep the operations of workers to workers."""
    if action.operation in WORKERS_ONLY and identity.kind != "worker":
        yield Problem("only a registered worker may do this; its id and secret are missing")


@hookimpl
def on_event(event: Event, host: Host) -> None:
    """Forget a worker that was removed."""
    if isinstance(event, WorkerDeleted) and host.side == "manager":
        known = _known(host).by_header
        for header in [h for h, identity in known.items() if identity.id == event.worker.id]:
            del known[header]
