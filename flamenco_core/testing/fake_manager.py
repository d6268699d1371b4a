"""A Manager of a few lines: enough for a Worker to sign on, get tasks and report.

``FakeManager()`` takes the place of the network: ``create_worker(..., transport=manager)``.
It can be away, in trouble, or old: without epochs and without held questions.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import anyio
import attrs
import httpx

from flamenco_core.domain.statuses import TaskStatus, WorkerStatus
from flamenco_core.wire import converter
from flamenco_core.wire.worker import (
    AssignedTask,
    Command,
    MayKeepRunning,
    TaskUpdate,
    WorkerStateChange,
)

__all__ = ["FakeManager", "a_task"]

_OPERATIONS = {
    ("GET", "version"): "version",
    ("POST", "worker/register-worker"): "register",
    ("POST", "worker/rotate-secret"): "rotate_secret",
    ("POST", "worker/sign-on"): "sign_on",
    ("POST", "worker/sign-off"): "sign_off",
    ("GET", "worker/state"): "state",
    ("POST", "worker/state-changed"): "state_changed",
    ("POST", "worker/task"): "schedule",
}


def a_task(
    *commands: tuple[str, dict[str, Any]], uuid: str = "task-1", **rest: Any
) -> AssignedTask:
    """Return a task with these commands; *rest* are fields of `AssignedTask`."""
    given: dict[str, Any] = {
        "uuid": uuid,
        "job": "job-1",
        "name": f"the task {uuid}",
        "status": TaskStatus.ACTIVE,
        "priority": 50,
        "job_priority": 50,
        "job_type": "test",
        "task_type": "misc",
        "commands": [Command(name=name, parameters=p) for name, p in commands],
        "steps_completed": 0,
        "steps_total": len(commands),
        "epoch": 1,
    }
    return AssignedTask(**{**given, **rest})


@attrs.define(eq=False)
class FakeManager(httpx.AsyncBaseTransport):
    """What it heard is in its attributes; what it answers follows from them."""

    tasks: deque[AssignedTask] = attrs.field(factory=deque)
    """What to hand out, in this order."""
    holds: bool = True
    """Whether it knows ``Prefer``: Flamenco's own Manager does not."""
    away: bool = False
    wanted: WorkerStatus | None = None
    """The state it asks the worker for."""
    first_status: WorkerStatus = WorkerStatus.AWAKE
    taken_away: set[str] = attrs.field(factory=set)
    """Tasks whose updates it answers with 409."""
    may_run: bool = True
    known: set[str] = attrs.field(factory=set)
    """Ids of workers; anybody else gets 403, once there is one."""
    secrets: dict[str, str] = attrs.field(factory=dict)
    former_secrets: dict[str, str] = attrs.field(factory=dict)
    """Those that were changed, and still count."""
    asks_to_rotate: bool = False
    calls: list[tuple[str, httpx.Headers]] = attrs.field(factory=list)
    """Operation and headers of everything it was asked, also what it refused."""
    updates: list[tuple[str, TaskUpdate]] = attrs.field(factory=list)
    """Updates that it took."""
    images: list[tuple[str, str, bytes]] = attrs.field(factory=list)
    states: list[WorkerStatus] = attrs.field(factory=list)
    signed_on: list[dict[str, Any]] = attrs.field(factory=list)
    _troubles: dict[str, deque[int]] = attrs.field(factory=dict)
    _changed: anyio.Event = attrs.field(factory=anyio.Event)

    # -- for tests ---------------------------------------------------------------

    def trouble(self, operation: str, *statuses: int) -> None:
        """Answer the next calls of an operation with these statuses."""
        self._troubles.setdefault(operation, deque()).extend(statuses)

    def give(self, *tasks: AssignedTask) -> None:
        """Have more tasks; a held question is answered."""
        self.tasks.extend(tasks)
        self.tell()

    def ask_for(self, status: WorkerStatus) -> None:
        """Ask the worker to be in another state."""
        self.wanted = status
        self.tell()

    def tell(self) -> None:
        """Wake whoever waits for a change."""
        self._changed.set()
        self._changed = anyio.Event()

    async def until(self, condition: Callable[[], object], limit: float = 10.0) -> None:
        """Wait until *condition* holds, looking after each request."""
        with anyio.fail_after(limit):
            while not condition():
                await self._changed.wait()

    def count(self, operation: str) -> int:
        """Return how often an operation was called."""
        return Counter(name for name, _ in self.calls)[operation]

    def statuses_of(self, task_id: str) -> list[TaskStatus]:
        """Return the statuses that were reported of a task."""
        return [u.taskStatus for t, u in self.updates if t == task_id and u.taskStatus]

    def log_of(self, task_id: str) -> str:
        """Return the log of a task."""
        return "".join(u.log or "" for t, u in self.updates if t == task_id)

    # -- the wire ----------------------------------------------------------------

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request; hold a question for work while there is none."""
        body = await request.aread()
        if self.away:
            raise httpx.ConnectError("nobody is there", request=request)
        answer = self.answer(request.method, request.url.path, request.headers, body)
        prefer = request.headers.get("Prefer", "")
        if answer.status_code == 204 and self.holds and prefer.startswith("wait="):
            with anyio.move_on_after(float(prefer.partition("=")[2])):
                while not (self.tasks or self.wanted or self.away):
                    await self._changed.wait()
            if self.away:
                raise httpx.ReadError("gone", request=request)
            answer = self._schedule(request.headers)
        return answer

    def answer(self, method: str, path: str, headers: httpx.Headers, body: bytes) -> httpx.Response:
        """Answer a request at once."""
        path = path.partition("/api/v3/")[2]
        operation = _OPERATIONS.get((method, path)) or _operation_on_task(path)
        self.calls.append((operation, headers))
        try:
            if self._troubles.get(operation):
                return _error(self._troubles[operation].popleft())
            if operation not in ("version", "register") and not self._knows(headers):
                return _error(403)
            task_id = path.split("/")[2] if path.startswith("worker/task/") else ""
            answer = self._reply(operation, task_id, headers, body)
            if self.asks_to_rotate:
                answer.headers["Flamenco-Rotate-Secret"] = "1"
            return answer
        finally:
            self.tell()

    def _knows(self, headers: httpx.Headers) -> bool:
        return self._user(headers) is not None or not self.known

    def _user(self, headers: httpx.Headers) -> str | None:
        shown = headers.get("Authorization")
        for worker in self.known:
            former = self.former_secrets.get(worker)
            if shown == self._basic(worker, self.secrets.get(worker, "")):
                return worker
            if former is not None and shown == self._basic(worker, former):
                return worker
        return None

    def _basic(self, worker_id: str, secret: str) -> str:
        auth = httpx.BasicAuth(worker_id, secret)
        request = next(auth.auth_flow(httpx.Request("GET", "http://any/")))
        return request.headers["Authorization"]

    def _reply(
        self, operation: str, task_id: str, headers: httpx.Headers, body: bytes
    ) -> httpx.Response:
        if operation == "output":
            self.images.append((task_id, headers["Content-Type"], body))
            return httpx.Response(202)
        if operation == "schedule":
            return self._schedule(headers)
        data = httpx.Response(200, content=body).json() if body else {}
        if operation == "rotate_secret":
            return self._rotate(self._user(headers) or "", data["secret"])
        if operation == "update":
            return self._update(task_id, converter.structure(data, TaskUpdate), headers)
        reply: Callable[[str, dict[str, Any]], httpx.Response] = getattr(self, f"_on_{operation}")
        return reply(task_id, data)

    def _on_version(self, _: str, __: dict[str, Any]) -> httpx.Response:
        names = ("version", "shortversion", "name", "git")
        return httpx.Response(200, json=dict.fromkeys(names, "fake"))

    def _on_register(self, _: str, data: dict[str, Any]) -> httpx.Response:
        worker_id = f"worker-{len(self.secrets) + 1}"
        self.known.add(worker_id)
        self.secrets[worker_id] = data["secret"]
        # An empty status is against the API document, but what Flamenco's Manager sends.
        return httpx.Response(200, json={"uuid": worker_id, "status": ""})

    def _rotate(self, worker_id: str, secret: str) -> httpx.Response:
        if self.secrets.get(worker_id) != secret:
            self.former_secrets[worker_id] = self.secrets.get(worker_id, "")
            self.secrets[worker_id] = secret
        self.asks_to_rotate = False
        return _nothing()

    def _on_sign_on(self, _: str, data: dict[str, Any]) -> httpx.Response:
        self.signed_on.append(data)
        return _json(200, WorkerStateChange(self.wanted or self.first_status))

    def _on_sign_off(self, _: str, __: dict[str, Any]) -> httpx.Response:
        return _nothing()

    def _on_state(self, _: str, __: dict[str, Any]) -> httpx.Response:
        return _json(200, WorkerStateChange(self.wanted)) if self.wanted else _nothing()

    def _on_state_changed(self, _: str, data: dict[str, Any]) -> httpx.Response:
        self._acknowledge(WorkerStatus(data["status"]))
        return _nothing()

    def _on_may_i_run(self, task_id: str, _: dict[str, Any]) -> httpx.Response:
        may = self.may_run and task_id not in self.taken_away
        answer = MayKeepRunning(mayKeepRunning=may, reason="", statusChangeRequested=False)
        return _json(200, answer)

    def _acknowledge(self, status: WorkerStatus) -> None:
        self.states.append(status)
        if self.wanted == status:
            self.wanted = None

    def _schedule(self, headers: httpx.Headers) -> httpx.Response:
        if self.wanted:
            return _json(423, WorkerStateChange(self.wanted))
        return _json(200, self.tasks.popleft()) if self.tasks else _nothing()

    def _update(self, task_id: str, update: TaskUpdate, headers: httpx.Headers) -> httpx.Response:
        if task_id in self.taken_away:
            return _error(409)
        self.updates.append((task_id, update))
        if self.holds and headers.get("Prefer") == "next-task" and self.tasks and not self.wanted:
            answer = _json(200, self.tasks.popleft())
            answer.headers["Preference-Applied"] = "next-task"
            return answer
        return _nothing()


def _operation_on_task(path: str) -> str:
    if path.endswith("/may-i-run"):
        return "may_i_run"
    return "output" if path.endswith("/output-produced") else "update"


def _json(status: int, body: Any) -> httpx.Response:
    headers = {"Content-Type": "application/json"}
    return httpx.Response(status, content=converter.encode(body), headers=headers)


def _nothing() -> httpx.Response:
    return httpx.Response(204)


def _error(status: int) -> httpx.Response:
    return httpx.Response(status, json={"code": status, "message": "trouble"})
