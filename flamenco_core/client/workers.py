"""The part of the API that decides which Workers are on the farm."""

from __future__ import annotations

from urllib.parse import quote

from flamenco_core.client.api import Client
from flamenco_core.wire.registration import (
    MadeRegistrationToken,
    NewRegistrationToken,
    RegistrationToken,
    RegistrationTokenList,
    WorkerApproval,
    WorkerMerge,
    WorkerVariables,
)

__all__ = ["WorkersClient"]

_MGT = "/worker-mgt"


class WorkersClient:
    """Decides on Workers; what a Manager refuses is raised as by `Client`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def tokens(self) -> list[RegistrationToken]:
        """Return the registration tokens, without their secrets."""
        return self._client.get(f"{_MGT}/registration-tokens", RegistrationTokenList).tokens

    def create_token(self, wish: NewRegistrationToken) -> MadeRegistrationToken:
        """Make a registration token; the answer alone has its secret."""
        return self._client.ask(f"{_MGT}/registration-tokens", wish, MadeRegistrationToken)

    def revoke_token(self, token_id: str) -> None:
        """Let a registration token open nothing any more; raises `NotFound`."""
        self._client.delete(f"{_MGT}/registration-tokens/{quote(token_id, safe='')}")

    def approve(self, worker_id: str, tag: str | None) -> None:
        """Let a Worker in that waits for it."""
        self._client.post(_path(worker_id, "approve"), WorkerApproval(tag=tag))

    def reject(self, worker_id: str) -> None:
        """Send a Worker away that waits for approval; raises `Conflict` for another one."""
        self._client.post(_path(worker_id, "reject"), None)

    def rotate(self, worker_id: str) -> None:
        """Ask a Worker to change its secret."""
        self._client.post(_path(worker_id, "rotate-secret"), None)

    def merge(self, old_id: str, new_id: str) -> None:
        """Let a Worker take over all that is known of another one, which is deleted."""
        self._client.post(_path(new_id, "merge"), WorkerMerge(old_worker_id=old_id))

    def variables(self, worker_id: str, text: str | None) -> WorkerVariables:
        """Return what a Worker sees in place of variables, and of those in a text."""
        query = "" if text is None else f"?text={quote(text, safe='')}"
        return self._client.get(_path(worker_id, "variables") + query, WorkerVariables)


def _path(worker_id: str, what: str) -> str:
    return f"{_MGT}/workers/{quote(worker_id, safe='')}/{what}"
