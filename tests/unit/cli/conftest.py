"""A Manager that fits into a test: it answers from dictionaries and remembers what it was told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from flamenco_core.cli.border import run
from flamenco_core.cli.context import Cli

JOB = "11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
OTHER_JOB = "22222222-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
TASK = "33333333-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
OTHER_TASK = "44444444-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
TIME = "2026-04-01T10:00:00.120000Z"
NOBODY = {"id": "", "name": "", "address": ""}


def a_job(**changes: Any) -> dict[str, Any]:
    return {
        "id": JOB,
        "name": "shot 010",
        "type": "simple-blender-render",
        "priority": 50,
        "created": TIME,
        "updated": TIME,
        "status": "active",
        "activity": "",
        "steps_completed": 1,
        "steps_total": 4,
        "settings": {"frames": "1-4"},
        "metadata": {"user": "artist"},
    } | changes


def a_task(**changes: Any) -> dict[str, Any]:
    return {
        "id": TASK,
        "name": "render-1-2",
        "status": "active",
        "index_in_job": 1,
        "priority": 50,
        "task_type": "blender",
        "updated": TIME,
        "steps_completed": 1,
        "steps_total": 2,
        "worker": {"id": "w", "name": "box", "address": "127.0.0.1"},
    } | changes


class FakeManager:
    """Answers as a Manager does, without events unless `events` is set."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.tasks: dict[str, list[dict[str, Any]]] = {}
        self.job_types: dict[str, dict[str, Any]] = {}
        self.broken_job_types: dict[str, str] | None = None
        """Also who does not tell, as Flamenco's own."""
        self.source_hashes: dict[str, str] = {}
        self.why: dict[str, dict[str, Any]] = {}
        self.schedules: dict[str, dict[str, Any]] = {}
        self.stuck: dict[str, Any] = {"repaired": [], "impossible": []}
        self.workers: list[dict[str, Any]] = []
        self.tags: list[dict[str, Any]] = []
        self.settings: list[dict[str, Any]] = []
        self.waiting: dict[str, str] = {}
        """Headers of the answer to changed settings."""
        self.logs: dict[str, bytes] = {}
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.requests: list[httpx.Request] = []
        self.more: dict[str, Callable[[], Any]] = {}
        """What else it answers: "GET /path" to what returns the body, or None for a 204."""
        self.after: Callable[[str], None] = lambda path: None
        """Called after each answer with the path: lets time pass on the farm."""

    def add_job(self, *tasks: dict[str, Any], **changes: Any) -> dict[str, Any]:
        job = a_job(**changes)
        self.jobs[job["id"]] = job
        self.tasks[job["id"]] = list(tasks)
        return job

    def add_job_type(self, name: str, *settings: dict[str, Any]) -> None:
        kind = {"name": name, "label": name.title(), "settings": list(settings), "etag": "e1"}
        self.job_types[name] = kind

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.path.removeprefix("/api/v3")
        answer = self._answer(request.method, path, request)
        self.after(path)
        return answer

    def _answer(self, method: str, path: str, request: httpx.Request) -> httpx.Response:
        parts = path.strip("/").split("/")
        if more := self.more.get(f"{method} {path}"):
            self.told.append((f"{method} {path}", json.loads(request.content or b"null") or {}))
            body = more()
            return httpx.Response(204) if body is None else httpx.Response(200, json=body)
        if method == "POST":
            return self._told(parts, path, json.loads(request.content))
        match parts:
            case ["version"]:
                version = {"version": "3.9", "shortversion": "3.9", "name": "Farm", "git": "g"}
                return httpx.Response(200, json=version)
            case ["jobs"]:
                return httpx.Response(200, json={"jobs": list(self.jobs.values())})
            case ["jobs", "types"]:
                return httpx.Response(200, json={"job_types": list(self.job_types.values())})
            case ["jobs", "types", "state"]:
                return self._job_types_state()
            case ["jobs", "type", name]:
                return found(self.job_types.get(name), f"job type {name!r}")
            case ["jobs", id, "tasks"]:
                return httpx.Response(200, json={"tasks": self.tasks.get(id, [])})
            case ["jobs", id, "why"]:
                return found(self.why.get(id), f"job {id}")
            case ["jobs", id]:
                return found(self.jobs.get(id), f"job {id}")
            case ["tasks", id, "why"] | ["worker-mgt", "workers", id, "why"]:
                return found(self.why.get(id), f"task or worker {id}")
            case ["worker-mgt", "workers", id, "sleep-schedule"]:
                return self._schedule(id)
            case ["worker-mgt", "workers", id]:
                return found(next((w for w in self.workers if w["id"] == id), None), f"worker {id}")
            case ["tasks", id, *rest]:
                return self._task(id, rest)
            case ["files", id]:
                return self._file(id, request)
            case ["worker-mgt", "workers"]:
                return httpx.Response(200, json={"workers": self.workers})
            case ["worker-mgt", "tags"]:
                return httpx.Response(200, json={"tags": self.tags})
            case ["configuration", "settings"]:
                return httpx.Response(200, json={"settings": self.settings})
            case ["configuration", "file"]:
                self.told.append((path, json.loads(request.content)))
                return httpx.Response(204, headers=self.waiting)
            case ["plugins"]:
                return httpx.Response(200, json={"plugins": []})
        return httpx.Response(404, json={"code": 404, "message": "no such page"})

    def _job_types_state(self) -> httpx.Response:
        if self.broken_job_types is None:
            return found(None, "page")
        kinds = [
            {"name": name, "etag": "e1", "source_hash": self.source_hashes.get(name, "")}
            for name in self.job_types
        ]
        broken = [{"name": n, "message": text} for n, text in self.broken_job_types.items()]
        return httpx.Response(200, json={"job_types": kinds, "problems": broken})

    def _task(self, id: str, rest: list[str]) -> httpx.Response:
        tasks = {task["id"]: (job, task) for job, all in self.tasks.items() for task in all}
        if id not in tasks:
            return found(None, f"task {id}")
        log = self.logs.get(id)
        if rest and not log:
            return httpx.Response(204)
        if rest == ["logtail"]:
            return httpx.Response(200, content=log[-2048:], headers={"content-type": "text/plain"})
        job, task = tasks[id]
        if rest == ["log"]:
            body = {"task_id": id, "job_id": job, "url": f"/files/{id}", "size": len(log)}
            return httpx.Response(200, json=body)
        more = {"created": TIME, "job_id": job, "commands": [], "failed_by_workers": []}
        return httpx.Response(200, json={"activity": "", "worker": NOBODY} | more | task)

    def _schedule(self, id: str) -> httpx.Response:
        found = self.schedules.get(id)
        return httpx.Response(200, json=found) if found else httpx.Response(204)

    def _file(self, id: str, request: httpx.Request) -> httpx.Response:
        wanted = request.headers.get("range")
        if wanted is None:
            return httpx.Response(200, content=self.logs[id])
        offset = int(wanted.removeprefix("bytes=").rstrip("-"))
        return httpx.Response(206, content=self.logs[id][offset:])

    def _told(self, parts: list[str], path: str, body: dict[str, Any]) -> httpx.Response:
        self.told.append((path, body))
        if parts == ["jobs"]:
            known = {"settings", "metadata", "name", "type", "priority", "id"}
            job = self.add_job(**{k: v for k, v in body.items() if k in known})
            job |= {"status": body.get("initial_status", "queued")}
            return httpx.Response(200, json=job)
        if parts == ["jobs", "check-stuck"]:
            return httpx.Response(200, json=self.stuck)
        if parts[-1] == "sleep-schedule":
            self.schedules[parts[2]] = {"status": "awake", "next_change": TIME} | body
        return httpx.Response(204)


def found(thing: dict[str, Any] | None, words: str) -> httpx.Response:
    if thing is None:
        return httpx.Response(404, json={"code": 404, "message": f"there is no {words}"})
    return httpx.Response(200, json=thing)


@pytest.fixture
def farm() -> FakeManager:
    return FakeManager()


class Outcome:
    """What one call of the program came to."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def flamenco(farm, capsys, monkeypatch) -> Callable[..., Outcome]:
    """Run ``flamenco ARGS`` against the fake Manager; the terminal is a pipe."""
    monkeypatch.delenv("FLAMENCO_MANAGER_URL", raising=False)

    def call(*args: str, **parts: Any) -> Outcome:
        cli = Cli(**({"transport": httpx.MockTransport(farm), "poll": 0.01} | parts))
        code = run([str(arg) for arg in args], cli)
        seen = capsys.readouterr()
        return Outcome(code, seen.out, seen.err)

    return call


@pytest.fixture
def facts() -> Any:
    """The makers of bodies, and the ids they use."""
    import types

    return types.SimpleNamespace(
        job=a_job, task=a_task, JOB=JOB, OTHER_JOB=OTHER_JOB, TASK=TASK, OTHER_TASK=OTHER_TASK
    )
