"""A farm told step by step, for tests that each tell one story."""

from __future__ import annotations

from collections import Counter
from typing import Any

from invariant_checks import Farm, check
from invariant_store import MemoryStore

from flamenco_core.domain.statuses import JobStatus, TaskStatus, WorkerStatus
from flamenco_core.manager.usecases import control, report, schedule, submit, workers
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.offers.job_type import AuthoredJob, AuthoredTask, Submission

__all__ = ["Story"]


class Story:
    """One farm; its methods are what happens to it."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.rules = Rules()
        self.numbers: Counter[str] = Counter()

    def uuid(self, kind: str) -> str:
        self.numbers[kind] += 1
        return f"00000000-0000-4000-8000-{ord(kind[0]):04}{self.numbers[kind]:08}"

    def do(self, use_case: Any, *args: Any, **kwargs: Any) -> Any:
        return self.store.write(use_case, *args, self.rules, **kwargs)

    def join(self, *types: str) -> str:
        worker = self.uuid("worker")
        new = workers.Registration(
            uuid=worker,
            secret_hash="x",
            name=f"worker {self.numbers['worker']}",
            address="::1",
            platform="linux",
            task_types=types or ("blender",),
        )
        self.store.write(workers.register_worker, new)
        self.do(workers.state_changed, worker, WorkerStatus.AWAKE)
        return worker

    def submit(self, *tasks: AuthoredTask, id: str = "", priority: int = 50) -> str:
        id = id or self.uuid("job")
        new = Submission(job_id=id, name=id, type="t", priority=priority, created=1)
        job = AuthoredJob(name=id, priority=priority, settings={}, metadata={}, tasks=tasks)
        return str(self.do(submit.submit_job, new, job))

    def frames(self, count: int) -> list[AuthoredTask]:
        return [AuthoredTask(name=f"frame {n}", type="blender") for n in range(count)]

    def claim(self, worker: str) -> Any:
        return self.do(schedule.schedule_task, worker)

    def say(self, worker: str, run: Any, status: TaskStatus, **more: Any) -> Any:
        said = report.Report(status=status, epoch=run.epoch, **more)
        return self.do(report.report_task, worker, run.task_id, said)

    def lose(self, worker: str) -> None:
        self.do(workers.give_up_workers, [worker])

    def ask(self, job: str, status: str) -> None:
        self.do(control.request_job_status, job, JobStatus(status), "because")

    def ask_task(self, run: Any, status: TaskStatus) -> None:
        self.do(control.request_task_status, run.task_id, status, "because")

    def farm(self) -> Farm:
        farm: Farm = self.store.write(Farm.read)
        check(farm, self.rules)
        return farm

    def task(self, run: Any) -> Any:
        return next(task for task in self.farm().tasks.values() if task.uuid == run.task_id)

    def job(self, id: str) -> Any:
        return next(job for job in self.farm().jobs.values() if job.uuid == id)
