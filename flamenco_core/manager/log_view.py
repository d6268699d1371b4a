"""A task's log as people read it: the Manager's lines around what workers logged."""

from __future__ import annotations

from collections.abc import Iterator

from flamenco_core.manager.logs import TaskLogs
from flamenco_core.manager.usecases.read_log import LogPlan

__all__ = ["log_blocks", "log_size", "log_tail"]


def log_blocks(logs: TaskLogs, plan: LogPlan) -> Iterator[bytes]:
    """Yield the whole log."""
    for run in plan.runs:
        yield run.before.encode()
        last = b"\n"
        for block in logs.read(plan.job_id, plan.task_id, run.epoch):
            last = block[-1:]
            yield block
        # A run that was cut off must not swallow the Manager's next line.
        yield (b"" if last == b"\n" else b"\n") + run.after.encode()


def log_size(logs: TaskLogs, plan: LogPlan) -> int:
    """Return about how many bytes the whole log has."""
    return sum(
        len(run.before.encode())
        + logs.size(plan.job_id, plan.task_id, run.epoch)
        + len(run.after.encode())
        for run in plan.runs
    )


def log_tail(logs: TaskLogs, plan: LogPlan, count: int) -> str:
    """Return the last *count* bytes of the log, from the beginning of a line."""
    tail = b""
    for run in reversed(plan.runs):
        worker = logs.tail(plan.job_id, plan.task_id, run.epoch, count + 1)
        end = b"" if not worker or worker.endswith(b"\n") else b"\n"
        tail = run.before.encode() + worker + end + run.after.encode() + tail
        if len(worker) > count or len(tail) > count:
            break
    if len(tail) > count:
        tail = tail[-count:]
        cut = tail.find(b"\n") + 1
        tail = tail[cut:] if cut < len(tail) else tail
    return tail.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
