"""The Manager's API as methods, typed by the bodies in `flamenco_core.wire`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO, Self, TypeVar
from urllib.parse import quote

import httpx

from flamenco_core.client.transport import Transport
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.errors import BadRequest, FlamencoError
from flamenco_core.wire.blocklist import (
    JobBlocklistAddition,
    JobBlocklistEntry,
    WorkerBlocklistEntry,
)
from flamenco_core.wire.converter import decode, encode
from flamenco_core.wire.disposal import (
    JobDiskUse,
    JobsDeletion,
    JobsDeletionResult,
    JobsDiskUse,
)
from flamenco_core.wire.job_types import AvailableJobType, AvailableJobTypes, JobTypesState
from flamenco_core.wire.jobs import (
    Job,
    JobPriorityChange,
    JobsQueryResult,
    JobStatusChange,
    JobWhy,
    SubmittedJob,
)
from flamenco_core.wire.meta import FlamencoVersion, PluginList, PluginState
from flamenco_core.wire.retention import (
    ArchivedJob,
    JobRetention,
    PruneResult,
    PruneSelection,
)
from flamenco_core.wire.setup import ConfigurationRehearsal, Setting, SettingsList
from flamenco_core.wire.sleep import WorkerSleepSchedule
from flamenco_core.wire.stuck import StuckCheck, StuckFound
from flamenco_core.wire.tasks import (
    JobTasksSummary,
    Task,
    TaskLogInfo,
    TaskStatusChange,
    TaskSummary,
)
from flamenco_core.wire.trials import WorkerTest
from flamenco_core.wire.why import TaskWhy, WorkerWhy
from flamenco_core.wire.worker_mgt import (
    Worker,
    WorkerList,
    WorkerStatusChangeRequest,
    WorkerStatusRequest,
    WorkerStatusRequestList,
    WorkerSummary,
    WorkerTag,
    WorkerTagChangeRequest,
    WorkerTagList,
)

__all__ = ["Client"]

T = TypeVar("T")
_API = "/api/v3"
_JSON = {"Content-Type": "application/json"}


class Client:
    """A Manager, seen from outside. Not for use by several threads at a time.

    Every method raises a `FlamencoError`: `Busy` when the Manager cannot be reached,
    `NotFound`, `BadRequest` and so on for its refusals.
    """

    def __init__(
        self, url: str, *, timeout: float = 10.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._inner = transport
        self.transport = Transport(url, timeout=timeout, inner=transport)

    @property
    def url(self) -> str:
        """Where the Manager is, without a slash at the end."""
        return self.transport.url

    def again(self) -> Client:
        """Return another client for the same Manager, for another thread."""
        return Client(self.url, transport=self._inner)

    def close(self) -> None:
        """Close all connections."""
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the farm ----------------------------------------------------------------

    def version(self) -> FlamencoVersion:
        """Return who answers."""
        return self._get("/version", FlamencoVersion)

    def plugins(self) -> list[PluginState]:
        """Return the Manager's plugins; `NotFound` from Flamenco's own Manager."""
        return self._get("/plugins", PluginList).plugins

    def workers(self) -> list[WorkerSummary]:
        """Return all workers."""
        return self._get("/worker-mgt/workers", WorkerList).workers

    def worker(self, worker_id: str) -> Worker:
        """Return one worker with all that is known of it."""
        return self._get(f"/worker-mgt/workers/{_part(worker_id)}", Worker)

    def sleep_schedule(self, worker_id: str) -> WorkerSleepSchedule | None:
        """Return when a worker sleeps, or None if nobody has said; raises `NotFound`."""
        path = f"{_API}/worker-mgt/workers/{_part(worker_id)}/sleep-schedule"
        response = self.transport.send("GET", path)
        return None if response.status_code == 204 else self._read(response, WorkerSleepSchedule)

    def set_sleep_schedule(self, worker_id: str, schedule: WorkerSleepSchedule) -> None:
        """Say when a worker sleeps; it acts at once."""
        self._post(f"/worker-mgt/workers/{_part(worker_id)}/sleep-schedule", schedule)

    def forget_sleep_schedule(self, worker_id: str) -> None:
        """Let a worker follow its tags' schedule, or none."""
        path = f"{_API}/worker-mgt/workers/{_part(worker_id)}/sleep-schedule"
        self.transport.send("DELETE", path)

    def tag_sleep_schedule(self, tag_id: str) -> WorkerSleepSchedule | None:
        """Return when workers with a tag sleep that have no schedule of their own."""
        response = self.transport.send("GET", f"{_API}{_tag_schedule(tag_id)}")
        return None if response.status_code == 204 else self._read(response, WorkerSleepSchedule)

    def set_tag_sleep_schedule(self, tag_id: str, schedule: WorkerSleepSchedule) -> None:
        """Say when workers with a tag sleep; it acts at once."""
        self._post(_tag_schedule(tag_id), schedule)

    def forget_tag_sleep_schedule(self, tag_id: str) -> None:
        """Let a tag have no sleep schedule."""
        self.transport.send("DELETE", f"{_API}{_tag_schedule(tag_id)}")

    def why_worker(self, worker_id: str) -> WorkerWhy:
        """Return why a worker is not at work; raises `NotFound`."""
        return self._get(f"/worker-mgt/workers/{_part(worker_id)}/why", WorkerWhy)

    def blocklist_of_worker(self, worker_id: str) -> list[WorkerBlocklistEntry]:
        """Return from which jobs a worker gets no more tasks of a type; raises `NotFound`."""
        path = f"/worker-mgt/workers/{_part(worker_id)}/blocklist"
        return self._get(path, list[WorkerBlocklistEntry])

    def clear_blocklist(self, worker_id: str) -> None:
        """Take a worker off the blocklists of all jobs."""
        self.transport.send("DELETE", f"{_API}/worker-mgt/workers/{_part(worker_id)}/blocklist")

    def ask_worker(self, worker_id: str, status: WorkerStatus, *, is_lazy: bool) -> None:
        """Ask a worker to be something else; raises `NotAllowed`."""
        body = WorkerStatusChangeRequest(status, is_lazy)
        self._post(f"/worker-mgt/workers/{_part(worker_id)}/setstatus", body)

    def status_requests(self, worker_id: str) -> list[WorkerStatusRequest]:
        """Return what a worker was asked to be, the newest first; raises `NotFound`."""
        path = f"/worker-mgt/workers/{_part(worker_id)}/status-requests"
        return self._get(path, WorkerStatusRequestList).requests

    def test_worker(self, worker_id: str) -> WorkerTest:
        """Let a worker be tested when it is free; raises `Conflict` while it is already."""
        path = f"/worker-mgt/workers/{_part(worker_id)}/test"
        return self._read(self._post(path, None), WorkerTest)

    def worker_test(self, worker_id: str) -> WorkerTest:
        """Return the newest test of a worker; raises `NotFound`."""
        return self._get(f"/worker-mgt/workers/{_part(worker_id)}/test", WorkerTest)

    def withdraw_test(self, worker_id: str) -> None:
        """End a test of a worker that waits or runs."""
        self.transport.send("DELETE", f"{_API}/worker-mgt/workers/{_part(worker_id)}/test")

    def picture_of(self, path: str) -> bytes:
        """Return an image, given the path that the API has named."""
        return self.transport.send("GET", path).content

    def tags(self) -> list[WorkerTag]:
        """Return all worker tags."""
        return self._get("/worker-mgt/tags", WorkerTagList).tags

    def create_tag(self, tag: WorkerTag) -> WorkerTag:
        """Make a worker tag; return it with its id."""
        return self._read(self._post("/worker-mgt/tags", tag), WorkerTag)

    def update_tag(self, tag: WorkerTag) -> None:
        """Give the tag with this id another name or description."""
        self._send("PUT", f"/worker-mgt/tag/{_part(tag.id)}", tag)

    def delete_tag(self, tag_id: str) -> None:
        """Delete a worker tag: its jobs are for all workers then."""
        self.transport.send("DELETE", f"{_API}/worker-mgt/tag/{_part(tag_id)}")

    def set_worker_tags(self, worker_id: str, tag_ids: list[str]) -> None:
        """Give a worker exactly these tags."""
        body = WorkerTagChangeRequest(tag_ids)
        self._post(f"/worker-mgt/workers/{_part(worker_id)}/settags", body)

    # -- settings ----------------------------------------------------------------

    def settings(self) -> list[Setting]:
        """Return all settings of the Manager, with a mask for secrets; not in Flamenco 3."""
        return self._get("/configuration/settings", SettingsList).settings

    def settings_file(self) -> dict[str, Any]:
        """Return Flamenco's settings in force, by key; secrets are masked."""
        return self._get("/configuration/file", dict[str, Any])

    def rehearse_settings(self, wanted: Mapping[str, Any]) -> ConfigurationRehearsal:
        """Return what `change_settings` would change; not in Flamenco 3."""
        response = self._post("/configuration/rehearse", dict(wanted))
        return self._read(response, ConfigurationRehearsal)

    def change_settings(self, wanted: Mapping[str, Any]) -> list[str]:
        """Change settings, by key; return the keys that wait for a restart."""
        response = self._send("PUT", "/configuration/file", dict(wanted))
        waiting = response.headers.get("Restart-Needed", "")
        return [key.strip() for key in waiting.split(",") if key.strip()]

    # -- job types ---------------------------------------------------------------

    def job_types(self) -> list[AvailableJobType]:
        """Return the job types that can be submitted."""
        return self._get("/jobs/types", AvailableJobTypes).job_types

    def job_types_state(self) -> JobTypesState:
        """Return where job types come from, and which are broken; not in Flamenco 3."""
        return self._get("/jobs/types/state", JobTypesState)

    def job_type(self, name: str) -> AvailableJobType:
        """Return one job type; raises `NotFound`."""
        return self._get(f"/jobs/type/{_part(name)}", AvailableJobType)

    # -- jobs --------------------------------------------------------------------

    def jobs(self) -> list[Job]:
        """Return all jobs, in no particular order."""
        return self._get("/jobs", JobsQueryResult).jobs

    def job(self, job_id: str) -> Job:
        """Return one job; raises `NotFound`."""
        return self._get(f"/jobs/{_part(job_id)}", Job)

    def submit(self, job: SubmittedJob) -> Job:
        """Hand in a job; raises `OutdatedJobType` or `BadRequest` for a refused one."""
        return self._read(self._post("/jobs", job), Job)

    def set_job_status(self, job_id: str, change: JobStatusChange) -> None:
        """Ask for another status of a job."""
        self._post(f"/jobs/{_part(job_id)}/setstatus", change)

    def set_job_priority(self, job_id: str, priority: int) -> None:
        """Change a job's priority, 0 to 100."""
        self._post(f"/jobs/{_part(job_id)}/setpriority", JobPriorityChange(priority))

    def check_stuck(self, wish: StuckCheck) -> StuckFound:
        """Let the Manager look for jobs that do not go on by themselves."""
        return self._read(self._post("/jobs/check-stuck", wish), StuckFound)

    def blocklist(self, job_id: str) -> list[JobBlocklistEntry]:
        """Return which workers get no more tasks of a type from a job."""
        return self._get(f"/jobs/{_part(job_id)}/blocklist", list[JobBlocklistEntry])

    def add_to_blocklist(self, job_id: str, entries: list[JobBlocklistAddition]) -> None:
        """Give workers no more tasks of a type from a job."""
        self._post(f"/jobs/{_part(job_id)}/blocklist", entries)

    def remove_from_blocklist(self, job_id: str, entries: list[JobBlocklistEntry]) -> None:
        """Let workers have tasks of a type from a job again."""
        path, body = f"{_API}/jobs/{_part(job_id)}/blocklist", encode(entries)
        self.transport.send("DELETE", path, content=body, headers=_JSON)

    def disk_use(self, job_id: str) -> JobDiskUse:
        """Return what a job takes of the Manager's disk; not in Flamenco 3."""
        return self._get(f"/jobs/{_part(job_id)}/disk-use", JobDiskUse)

    def disk_uses(self) -> list[JobDiskUse]:
        """Return what each job takes of the Manager's disk; not in Flamenco 3."""
        return self._get("/disk-use", JobsDiskUse).jobs

    def delete_jobs(self, wish: JobsDeletion) -> JobsDeletionResult:
        """Delete up to 1,000 jobs, or hear what that would free; not in Flamenco 3."""
        return self._read(self._post("/jobs/delete", wish), JobsDeletionResult)

    def set_retention(self, job_id: str, retention: JobRetention) -> None:
        """Say how long a job is kept."""
        self._post(f"/jobs/{_part(job_id)}/retention", retention)

    def prune(self, selection: PruneSelection) -> PruneResult:
        """Delete finished jobs whose time is over, or hear which that would be."""
        return self._read(self._post("/jobs/prune", selection), PruneResult)

    def archive_there(self, job_id: str) -> ArchivedJob:
        """Let the Manager put a job's archive into its folder for them."""
        return self._read(self._post(f"/jobs/{_part(job_id)}/archive", None), ArchivedJob)

    def download_archive(self, job_id: str, file: BinaryIO) -> None:
        """Write a job's archive to *file*."""
        for piece in self.transport.pieces("GET", f"{_API}/jobs/{_part(job_id)}/archive"):
            file.write(piece)

    # -- tasks -------------------------------------------------------------------

    def tasks(self, job_id: str) -> list[TaskSummary]:
        """Return all tasks of a job, in the order of the job."""
        found = self._get(f"/jobs/{_part(job_id)}/tasks", JobTasksSummary).tasks
        return sorted(found, key=lambda task: task.index_in_job)

    def why(self, job_id: str) -> JobWhy:
        """Return why a job's tasks are not at work; raises `NotFound`."""
        return self._get(f"/jobs/{_part(job_id)}/why", JobWhy)

    def why_task(self, task_id: str) -> TaskWhy:
        """Return why a task is not at work; raises `NotFound`."""
        return self._get(f"/tasks/{_part(task_id)}/why", TaskWhy)

    def task(self, task_id: str) -> Task:
        """Return one task; raises `NotFound`."""
        return self._get(f"/tasks/{_part(task_id)}", Task)

    def set_task_status(self, task_id: str, change: TaskStatusChange) -> None:
        """Ask for another status of a task."""
        self._post(f"/tasks/{_part(task_id)}/setstatus", change)

    def log_info(self, task_id: str) -> TaskLogInfo | None:
        """Return where a task's log is, or None while there is none."""
        response = self.transport.send("GET", f"{_API}/tasks/{_part(task_id)}/log")
        return None if response.status_code == 204 else self._read(response, TaskLogInfo)

    def log_tail(self, task_id: str) -> str:
        """Return the last lines of a task's log, 2 KiB at most."""
        return self.transport.send("GET", f"{_API}/tasks/{_part(task_id)}/logtail").text

    def log_from(self, task_id: str, offset: int = 0) -> bytes:
        """Return a task's log from the byte *offset* on."""
        info = self.log_info(task_id)
        if info is None or info.size <= offset:
            return b""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        response = self.transport.send("GET", info.url, headers=headers)
        # A server that knows no ranges sends everything.
        return response.content if response.status_code == 206 else response.content[offset:]

    # -- how, for the rest of this package -----------------------------------------

    def get(self, path: str, kind: type[T]) -> T:
        """Read what is at a path below the API's."""
        return self._get(path, kind)

    def post(self, path: str, body: object) -> None:
        """Send a body to a path below the API's."""
        self._post(path, body)

    def ask(self, path: str, body: object, kind: type[T]) -> T:
        """Send a body to a path below the API's; return what comes back."""
        return self._read(self._post(path, body), kind)

    def delete(self, path: str) -> None:
        """Delete what is at a path below the API's."""
        self.transport.send("DELETE", _API + path)

    def _get(self, path: str, kind: type[T]) -> T:
        return self._read(self.transport.send("GET", _API + path), kind)

    def _post(self, path: str, body: object) -> httpx.Response:
        return self._send("POST", path, body)

    def _send(self, method: str, path: str, body: object) -> httpx.Response:
        return self.transport.send(method, _API + path, content=encode(body), headers=_JSON)

    def _read(self, response: httpx.Response, kind: type[T]) -> T:
        try:
            return decode(response.content, kind)
        except BadRequest as error:
            raise FlamencoError(
                f"{self.url} does not answer like a Manager ({error}); check --manager"
            ) from error


def _tag_schedule(tag_id: str) -> str:
    return f"/worker-mgt/tag/{_part(tag_id)}/sleep-schedule"


def _part(text: Any) -> str:
    return quote(str(text), safe="")
