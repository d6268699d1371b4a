"""Built-in: workers prove who they are with the secret that they registered with.

The secret is 256 random bits, so a plain hash is as good as a slow one, and checking it
costs next to nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flamenco_core.errors import Forbidden
from flamenco_core.hookspecs import hookimpl
from flamenco_core.offers.identity import Action, Identity
from flamenco_core.offers.problem import Problem

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["check_access", "find_identity"]

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
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NOBODY = hashlib.sha256(b"").hexdigest()


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
    row = await manager.credentials_of(worker)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    # Compared for an unknown worker as well: the time must not tell which ids exist.
    if not hmac.compare_digest(digest, row.secret_hash if row else NOBODY) or row is None:
        raise Forbidden("unknown worker, or its secret is wrong; register it again")
    if row.is_removed:
        await manager.old_workers.restore(worker)
    return Identity(kind="worker", id=worker, name=row.name)


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
