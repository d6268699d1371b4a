"""Logs that are too long, too many, or no longer what they were."""

from __future__ import annotations

import os
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.manager.disk_use import disk_use
from flamenco_core.manager.log_view import log_tail
from flamenco_core.manager.logs import LogLimits, TaskLogs
from flamenco_core.manager.usecases.read_log import LogPlan, RunOfLog

JOB, TASK = "abcdef12-0000-4000-8000-000000000000", "t"
RUN_NOTE = "\n[the Manager keeps 100 bytes of one run; 300 are left out here]\n"
EVERYTHING = "".join(f"line {number:4}\n" for number in range(40))
PLAN = LogPlan(task_id=TASK, job_id=JOB, runs=(RunOfLog(epoch=1, before="", after=""),))


@pytest.fixture
def logs(tmp_path: Path) -> TaskLogs:
    return TaskLogs(tmp_path, LogLimits(run=100, message=60, runs=2))


def whole(logs: TaskLogs, epoch: int = 1) -> str:
    return b"".join(logs.read(JOB, TASK, epoch)).decode()


def test_a_run_keeps_its_beginning_and_its_end_and_says_what_is_left_out(logs) -> None:
    for number in range(40):
        logs.write(JOB, TASK, 1, f"line {number:4}\n", None)
    text = whole(logs)
    head, note, end = text.partition(RUN_NOTE)
    # 400 bytes: the first 50, and of the pieces of 25 bytes the last two.
    assert (head, note) == (EVERYTHING[:50], RUN_NOTE)
    assert end == EVERYTHING[350:]
    assert logs.size(JOB, TASK, 1) == len(text)


def test_nothing_is_left_out_up_to_the_limit(logs) -> None:
    for number in range(10):
        logs.write(JOB, TASK, 1, f"line {number:4}\n", None)
    assert whole(logs) == EVERYTHING[:100]


def test_what_comes_after_the_limit_is_told_as_well(logs) -> None:
    for _ in range(9):
        last = logs.write(JOB, TASK, 1, "x" * 29 + "\n", None)
    assert last == "x" * 29 + "\n"
    assert logs.write(JOB, TASK, 1, "y" * 30, 240) == ""


def test_a_text_that_is_longer_than_all_pieces_leaves_its_end(tmp_path) -> None:
    logs = TaskLogs(tmp_path, LogLimits(run=100, message=1000))
    logs.write(JOB, TASK, 1, EVERYTHING, 0)
    assert whole(logs) == EVERYTHING[:50] + RUN_NOTE + EVERYTHING[350:]


@pytest.mark.parametrize("count", [0, 1, 30, 50, 51, 110, 113, 130, 164, 1000])
def test_the_tail_is_the_end_of_what_is_read(logs, count) -> None:
    for number in range(40):
        logs.write(JOB, TASK, 1, f"line {number:4}\n", None)
    assert logs.tail(JOB, TASK, 1, count).decode() == (whole(logs)[-count:] if count else "")


@given(
    size=st.integers(1, 400),
    cuts=st.lists(st.integers(0, 400), max_size=12),
    order=st.randoms(use_true_random=False),
)
def test_however_often_and_in_which_order_the_same_stays(
    tmp_path_factory, size, cuts, order
) -> None:
    text = EVERYTHING[:size]
    places = sorted({0, size, *(cut % (size + 1) for cut in cuts)})
    chunks = [(start, text[start:end]) for start, end in pairwise(places)] * 2
    order.shuffle(chunks)
    logs = TaskLogs(tmp_path_factory.mktemp("logs"), LogLimits(run=100))
    for offset, chunk in chunks:
        logs.write(JOB, TASK, 1, chunk, offset)
    last = (size - 51) // 25
    first = max(0, last - 1)
    note = RUN_NOTE.replace("300", str(first * 25)) if first else ""
    assert whole(logs) == text[:50] + note + text[50 + first * 25 :]


def test_a_crash_between_two_pieces_is_no_trouble(logs) -> None:
    logs.write(JOB, TASK, 1, EVERYTHING[:50], 0)
    for start in range(50, 400, 25):
        logs.write(JOB, TASK, 1, EVERYTHING[start : start + 25], start)
    rest = logs.path(JOB, TASK, 1).with_name(f"task-{TASK}.1.txt.rest")
    # What should have been removed is still there, and something strange.
    (rest / "11.txt").write_text("x" * 25)
    (rest / "notes").write_text("x")
    assert whole(logs) == EVERYTHING[:50] + RUN_NOTE + EVERYTHING[350:]
    logs.write(JOB, TASK, 1, "end\n", 400)
    assert sorted(path.name for path in rest.iterdir()) == ["13.txt", "14.txt", "notes"]


def test_the_pieces_go_with_their_run_and_with_their_job(logs) -> None:
    logs.write(JOB, TASK, 1, EVERYTHING[:60], 0)
    logs.write(JOB, TASK, 3, EVERYTHING[:60], 0)
    names = {path.name for path in logs.folder(JOB).iterdir()}
    assert names == {f"task-{TASK}.3.txt", f"task-{TASK}.3.txt.rest"}
    assert disk_use(logs, JOB).logs == 60
    logs.remove(JOB)
    assert not logs.folder(JOB).exists()


def test_all_parts_of_a_text_are_synced(logs, monkeypatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("flamenco_core.manager.logs._sync", synced.append)
    logs.write(JOB, TASK, 1, EVERYTHING[:60], 0)
    logs.flush()
    assert len(synced) == 2


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
