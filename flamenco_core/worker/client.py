"""What a Worker says to its Manager over HTTP.

Every method raises `Busy` when it is worth trying again (no connection, no answer in
time, 5xx, 429, ...) and `Refused` when it is not; see `flamenco_core.worker.answers`.
"""

from __future__ import annotations

import logging
from typing import Any, TypeVar

import attrs
import httpx
import msgspec

from flamenco_core import __version__
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.errors import BadRequest, Busy, Refused
from flamenco_core.wire import converter
from flamenco_core.wire.meta import FlamencoVersion
from flamenco_core.wire.worker import (
    AssignedTask,
    MayKeepRunning,
    NewSecret,
    TaskUpdate,
    WorkerRegistration,
    WorkerSignOn,
    WorkerStateChanged,
)
from flamenco_core.worker.addresses import Addresses, normal_url
from flamenco_core.worker.answers import error_for

__all__ = ["Held", "ManagerClient", "normal_url"]

log = logging.getLogger(__name__)

T = TypeVar("T")

AWAY = frozenset({502, 503, 504})
"""What a proxy answers for a Manager that is not there, or one that cannot work."""


@attrs.frozen
class Held:
    """Nothing to do. ``held``: the Manager says that it waited as it was asked to."""

    held: bool


class ManagerClient:
    """Speaks the Worker's part of the API; one per process, for one farm.

    *url* may be several, of Managers that share a database: when one does not answer, the
    next question goes to the next one.
    """

    def __init__(
        self,
        url: str,
        *,
        request_time: float = 15.0,
        upload_time: float = 120.0,
        heartbeat: float = 5.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._addresses = Addresses(url)
        self.must_rotate = False
        """Whether the Manager has asked this worker to change its secret."""
        self._time = request_time
        self._upload_time = upload_time
        self._http = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(request_time, connect=min(5.0, request_time)),
            headers={
                "User-Agent": f"Flamenco/{__version__}",
                # How often this worker calls: the Manager need not wait long to miss it.
                "Flamenco-Heartbeat": f"{max(1.0, heartbeat):.0f}",
            },
            auth=("", ""),
        )

    @property
    def url(self) -> str:
        """Where questions go."""
        return self._addresses.url

    def use_credentials(self, worker_id: str, secret: str) -> None:
        """Speak as this worker from now on."""
        self._http.auth = httpx.BasicAuth(worker_id, secret)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def version(self) -> FlamencoVersion:
        """Return who is at the other end."""
        return _read(await self._ask("GET", "version", auth=None), FlamencoVersion)

    async def register(self, registration: WorkerRegistration, ticket: str = "") -> str:
        """Join the farm as a new worker; return its id. *ticket* opens the door."""
        headers = {"Authorization": f"Bearer {ticket}"} if ticket else {}
        auth = None if ticket else httpx.USE_CLIENT_DEFAULT
        answer = await self._ask(
            "POST", "worker/register-worker", registration, headers=headers, auth=auth
        )
        # Only this key: the official Manager leaves the status empty, against its own API.
        return _read(answer, _Registered).uuid

    async def rotate_secret(self, secret: str) -> None:
        """Say which secret this worker uses from now on."""
        answer = await self._ask("POST", "worker/rotate-secret", NewSecret(secret))
        if answer.status_code != 204:
            # A page of something else: to believe it would lock this worker out.
            raise Refused("worker/rotate-secret: this Manager lets no worker change its secret")

    async def sign_on(self, sign_on: WorkerSignOn) -> WorkerStatus:
        """Begin to work; the answer says as what."""
        answer = await self._ask("POST", "worker/sign-on", sign_on)
        if _read(answer, _Wanted).pending_approval:
            log.warning("this worker sleeps until an operator of the farm has approved it")
        return _wanted(answer)

    async def sign_off(self) -> None:
        """End to work; the Manager gives a running task to somebody else."""
        await self._ask("POST", "worker/sign-off")

    async def state(self) -> WorkerStatus | None:
        """Return the state that the Manager asks for, if it asks for one."""
        answer = await self._ask("GET", "worker/state")
        return None if answer.status_code == 204 else _wanted(answer)

    async def state_changed(self, status: WorkerStatus) -> None:
        """Say what this worker is now."""
        await self._ask("POST", "worker/state-changed", WorkerStateChanged(status))

    async def schedule(self, wait: float) -> AssignedTask | WorkerStatus | Held:
        """Ask for a task, and let the Manager take *wait* seconds to find one."""
        answer = await self._ask(
            "POST",
            "worker/task",
            headers={"Prefer": f"wait={wait:.0f}"},
            timeout=httpx.Timeout(self._time, read=wait + self._time),
            also=(423,),
        )
        if answer.status_code == 423:
            return _wanted(answer)
        if answer.status_code == 204:
            return Held(_applied(answer, "wait"))
        return _read(answer, AssignedTask)

    async def update(
        self, task_id: str, update: TaskUpdate, *, next_task: bool = False
    ) -> AssignedTask | None:
        """Report of a task; with *next_task* the answer may bring the one to run next."""
        headers = {"Prefer": "next-task"} if next_task else {}
        answer = await self._ask("POST", f"worker/task/{task_id}", update, headers=headers)
        if not next_task or answer.status_code != 200 or not _applied(answer, "next-task"):
            return None
        return _read(answer, AssignedTask)

    async def may_i_run(self, task_id: str) -> MayKeepRunning:
        """Ask whether to go on with a task."""
        answer = await self._ask("GET", f"worker/task/{task_id}/may-i-run")
        return _read(answer, MayKeepRunning)

    async def output_produced(
        self, task_id: str, image: bytes, content_type: str, frame: int | None = None
    ) -> None:
        """Show what a task has rendered."""
        path = f"worker/task/{task_id}/output-produced"
        path += "" if frame is None else f"?frame={frame}"
        headers = {"Content-Type": content_type}
        limit = httpx.Timeout(self._upload_time)
        await self._ask("POST", path, raw=image, headers=headers, timeout=limit)

    async def _ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        timeout: httpx.Timeout | None = None,
        also: tuple[int, ...] = (),
        auth: Any = httpx.USE_CLIENT_DEFAULT,
    ) -> httpx.Response:
        headers = dict(headers or {})
        if body is not None:
            headers["Content-Type"] = "application/json"
            raw = converter.encode(body)
        url = self.url
        try:
            answer = await self._http.request(
                method,
                f"{url}api/v3/{path}",
                content=raw,
                headers=headers,
                auth=auth,
                timeout=timeout or httpx.USE_CLIENT_DEFAULT,
            )
        except httpx.TimeoutException as error:
            self._addresses.leave(url)
            raise Busy(f"{path}: no answer from {url} in time") from error
        except httpx.RequestError as error:
            self._addresses.leave(url)
            raise Busy(f"{path}: cannot reach {url}: {error or type(error)}") from error
        if answer.status_code in AWAY:
            self._addresses.leave(url)
        if "flamenco-rotate-secret" in answer.headers:
            self.must_rotate = True
        if not answer.is_success and answer.status_code not in also:
            raise error_for(answer.status_code, path, _message(answer))
        return answer


@attrs.frozen
class _Registered:
    uuid: str


@attrs.frozen
class _Wanted:
    status_requested: str
    pending_approval: bool | None = None


def _wanted(answer: httpx.Response) -> WorkerStatus:
    word = _read(answer, _Wanted).status_requested
    try:
        return WorkerStatus(word)
    except ValueError:
        log.warning("the Manager asks for a state that is not known here: %r", word)
        return WorkerStatus.ERROR


def _read(answer: httpx.Response, kind: type[T]) -> T:
    try:
        return converter.decode(answer.content, kind)
    except BadRequest as error:
        # A proxy's page, or a Manager with a fault: neither is an answer to the question.
        path = answer.request.url.path
        raise Busy(f"{path}: cannot make sense of the Manager's answer: {error}") from error


def _message(answer: httpx.Response) -> str:
    if answer.is_redirect:
        return f"moved to {answer.headers.get('location')}; set manager_url to where it is now"
    try:
        data = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return answer.reason_phrase
    return str(data.get("message", "")) if isinstance(data, dict) else ""


def _applied(answer: httpx.Response, preference: str) -> bool:
    applied = answer.headers.get("Preference-Applied", "")
    return any(p.strip().partition("=")[0] == preference for p in applied.split(","))
