"""Logs that are too long, too many, or no longer what they were."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from flamenco_core.manager.log_view import log_tail
from flamenco_core.manager.logs import LogLimits, TaskLogs
from flamenco_core.manager.usecases.read_log import LogPlan, RunOfLog

JOB, TASK = "abcdef12-0000-4000-8000-000000000000", "t"
RUN_NOTE = "\n[the Manager keeps 100 bytes of one run; the rest is left out]\n"
PLAN = LogPlan(task_id=TASK, job_id=JOB, runs=(RunOfLog(epoch=1, before="", after=""),))


@pytest.fixture
def logs(tmp_path: Path) -> TaskLogs:
    return TaskLogs(tmp_path, LogLimits(run=100, message=60, runs=2))


def whole(logs: TaskLogs, epoch: int = 1) -> str:
    return b"".join(logs.read(JOB, TASK, epoch)).decode()


def test_a_run_keeps_its_beginning_and_says_that_there_was_more(logs) -> None:
    for number in range(20):
        logs.write(JOB, TASK, 1, f"line {number:4}\n", None)
    text = whole(logs)
    assert text.startswith("line    0\n")
    assert text.endswith(RUN_NOTE)
    assert len(text) == 100 + len(RUN_NOTE)


def test_what_is_left_out_is_not_told(logs) -> None:
    for _ in range(3):
        last = logs.write(JOB, TASK, 1, "x" * 59 + "\n", None)
    assert last == ""


def test_however_often_and_in_which_order_it_is_cut_the_same_way(tmp_path) -> None:
    chunks = [(offset, f"{offset:19}\n") for offset in range(0, 200, 20)]
    found = set()
    for seed in range(10):
        logs = TaskLogs(tmp_path / str(seed), LogLimits(run=90))
        order = chunks * 3
        random.Random(seed).shuffle(order)
        for offset, text in order:
            logs.write(JOB, TASK, 1, text, offset)
        found.add(whole(logs))
    assert len(found) == 1
    assert found.pop().endswith("[the Manager keeps 90 bytes of one run; the rest is left out]\n")


def test_one_message_is_cut_and_the_next_stands_where_it_belongs(tmp_path) -> None:
    logs = TaskLogs(tmp_path, LogLimits(message=10))
    for _ in range(2):
        logs.write(JOB, TASK, 1, "0123456789" * 20, 0)
        logs.write(JOB, TASK, 1, "next\n", 200)
    data = b"".join(logs.read(JOB, TASK, 1))
    assert data.startswith(b"0123456789\n[the Manager keeps 10 bytes of one message")
    assert data[200:] == b"next\n"


def test_a_message_that_is_hardly_too_long_is_kept(tmp_path) -> None:
    logs = TaskLogs(tmp_path, LogLimits(message=10))
    assert logs.write(JOB, TASK, 1, "x" * 20, 0) == "x" * 20


def test_only_the_newest_runs_are_kept(logs) -> None:
    for epoch in (1, 2, 5, 6, 9):
        logs.write(JOB, TASK, epoch, "said\n", 0)
    left = {path.name for path in logs.folder(JOB).iterdir()}
    assert left == {f"task-{TASK}.9.txt"}
    logs.write(JOB, "other", 1, "said\n", 0)
    assert len(list(logs.folder(JOB).iterdir())) == 2


def test_a_folder_that_was_removed_meanwhile_comes_back(logs) -> None:
    logs.write(JOB, TASK, 1, "one\n", 0)
    logs.remove(JOB)
    assert logs.write(JOB, TASK, 1, "two\n", None) == "two\n"
    assert whole(logs) == "two\n"


# -- strange files ---------------------------------------------------------------------------


def test_a_link_is_not_read(logs, tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("password")
    path = logs.path(JOB, TASK, 1)
    path.parent.mkdir(parents=True)
    path.symlink_to(secret)
    assert whole(logs) == ""
    assert logs.tail(JOB, TASK, 1, 100) == b""
    assert logs.size(JOB, TASK, 1) == 0


def test_a_pipe_is_no_log_and_holds_nobody_up(logs) -> None:
    path = logs.path(JOB, TASK, 1)
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    assert whole(logs) == ""
    with pytest.raises(OSError, match="seek"):
        logs.write(JOB, TASK, 1, "text", 0)


@pytest.mark.parametrize("end", [b"last line\n", b"\xff\xfe\x00\xc3" * 40_000, b"x" * 100_000])
def test_the_tail_of_two_gigabytes_is_quick_and_valid_text(tmp_path, end: bytes) -> None:
    logs = TaskLogs(tmp_path)
    path = logs.path(JOB, TASK, 1)
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.seek(2 * 2**30)
        file.write(b"\n" + end)
    started = time.perf_counter()
    text = log_tail(logs, PLAN, 64 * 1024)
    assert time.perf_counter() - started < 0.05
    assert "\0" not in text
    assert 0 < len(text) <= 64 * 1024
    assert text.encode().decode() == text


# -- power cuts ------------------------------------------------------------------------------


def test_what_was_written_is_synced_once(logs, monkeypatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("flamenco_core.manager.logs._sync", synced.append)
    for number in range(5):
        logs.write(JOB, TASK, 1, f"{number}\n", None)
    logs.write(JOB, "other", 1, "x\n", None)
    logs.flush()
    assert len(synced) == 2
    logs.flush()
    assert len(synced) == 2


def test_many_are_synced_together(logs, monkeypatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("flamenco_core.manager.logs.os.sync", lambda: said.append("all"))
    monkeypatch.setattr("flamenco_core.manager.logs._sync", lambda _: said.append("one"))
    for number in range(40):
        logs.write(JOB, f"task{number}", 1, "x\n", 0)
    logs.flush()
    assert said == ["all"]


def test_a_log_that_is_gone_is_no_trouble_to_sync(logs) -> None:
    logs.write(JOB, TASK, 1, "x\n", None)
    logs.remove(JOB)
    logs.flush()
