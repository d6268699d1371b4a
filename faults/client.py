"""People who submit jobs and change their minds, and write down what came of it."""

from __future__ import annotations

import uuid
from typing import Any

from faults.history import End, History
from faults.http import Answer, Http, NoAnswer
from faults.manager import JOB_TYPE

__all__ = ["Person", "end_of", "job_body"]


def end_of(answer: Answer | None) -> End:
    """Say what an answer means; none at all, or a fault: nobody knows."""
    if answer is None or answer.status >= 500 or answer.status in (408, 429):
        return "info"
    return "ok" if answer.is_success else "fail"


def job_body(id: str, tasks: int, after: int = 0, **more: Any) -> dict[str, Any]:
    """Return a job of so many tasks as the wire has it."""
    settings = {"tasks": tasks, "after": after}
    job = {"id": id, "name": "fault", "type": JOB_TYPE, "submitter_platform": "linux"}
    return {**job, "settings": settings, **more}


class Person:
    """One who uses the Manager over HTTP."""

    def __init__(self, http: Http, history: History) -> None:
        self.http = http
        self.history = history
        self.jobs: list[str] = []
        self.last: Answer | None = None
        """What was answered to the last change, if anything was."""

    async def submit(self, tasks: int, *, after: int = 0, id: str = "", **more: Any) -> str:
        """Submit a job under an id of our own; return the id, whatever came of it."""
        id = id or str(uuid.uuid4())
        if id not in self.jobs:
            self.jobs.append(id)
        body = job_body(id, tasks, after, **more)
        await self._do("submit", id, "POST", "/api/v3/jobs", body, tasks=tasks)
        return id

    async def cancel(self, job: str) -> Answer | None:
        return await self._set_status("cancel", job, "cancel-requested")

    async def requeue(self, job: str) -> Answer | None:
        return await self._set_status("requeue", job, "requeueing")

    async def delete(self, job: str) -> Answer | None:
        return await self._do("delete", job, "DELETE", f"/api/v3/jobs/{job}")

    async def requeue_task(self, task: str) -> Answer | None:
        body = {"status": "queued", "reason": "because"}
        path = f"/api/v3/tasks/{task}/setstatus"
        return await self._do("requeue", task, "POST", path, body)

    async def look(self, job: str) -> Answer | None:
        """Look at a job, and write down what it is seen as."""
        number = self.history.invoke("look", job)
        answer = await self._ask("GET", f"/api/v3/jobs/{job}")
        seen = answer.json()["status"] if answer is not None and answer.is_success else None
        code = None if answer is None else answer.status
        self.history.settle(number, end_of(answer), status=seen, code=code)
        return answer

    async def status(self, job: str) -> str:
        """Return a job's status; empty when there is no such job or no answer."""
        answer = await self.look(job)
        return str(answer.json()["status"]) if answer is not None and answer.is_success else ""

    async def tasks(self, job: str) -> list[dict[str, Any]]:
        answer = await self._ask("GET", f"/api/v3/jobs/{job}/tasks")
        return list(answer.json()["tasks"]) if answer is not None and answer.is_success else []

    async def _set_status(self, op: str, job: str, status: str) -> Answer | None:
        body = {"status": status, "reason": "because"}
        return await self._do(op, job, "POST", f"/api/v3/jobs/{job}/setstatus", body)

    async def _do(
        self, op: str, key: str, method: str, path: str, body: Any = None, **facts: Any
    ) -> Answer | None:
        number = self.history.invoke(op, key, **facts)
        answer = self.last = await self._ask(method, path, body)
        code = None if answer is None else answer.status
        self.history.settle(number, end_of(answer), code=code)
        return answer

    async def _ask(self, method: str, path: str, body: Any = None) -> Answer | None:
        try:
            return await self.http.request(method, path, json=body)
        except NoAnswer:
            return None
