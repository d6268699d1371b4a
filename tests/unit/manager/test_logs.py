from __future__ import annotations

import errno
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.manager.logs import TaskLogs
from flamenco_core.manager.run_log import MAX_GAP

JOB, TASK = "abcdef12-0000-4000-8000-000000000000", "t"


@pytest.fixture
def logs(tmp_path: Path) -> TaskLogs:
    return TaskLogs(tmp_path)


def whole(logs: TaskLogs, epoch: int = 1) -> bytes:
    return b"".join(logs.read(JOB, TASK, epoch))


def test_without_an_offset_it_is_appended_with_a_line_end(logs) -> None:
    assert logs.write(JOB, TASK, 1, "one", None) == "one\n"
    assert logs.write(JOB, TASK, 1, "two\n", None) == "two\n"
    assert whole(logs) == b"one\ntwo\n"
    assert logs.folder(JOB).relative_to(logs._root).as_posix() == f"job-abcd/{JOB}"


def test_sent_again_it_is_there_once_and_nothing_is_new(logs) -> None:
    assert logs.write(JOB, TASK, 1, "one\n", 0) == "one\n"
    assert logs.write(JOB, TASK, 1, "one\n", 0) == ""
    assert logs.write(JOB, TASK, 1, "one\ntwo\n", 0) == "two\n"
    assert whole(logs) == b"one\ntwo\n"


def test_runs_have_logs_of_their_own(logs) -> None:
    logs.write(JOB, TASK, 1, "first\n", 0)
    logs.write(JOB, TASK, 2, "second\n", 0)
    assert whole(logs, 1) == b"first\n"
    assert logs.size(JOB, TASK, 2) == 7
    assert logs.size(JOB, TASK, 3) == 0
    assert whole(logs, 3) == b""


def test_an_empty_text_makes_no_file(logs, tmp_path) -> None:
    assert logs.write(JOB, TASK, 1, "", None) == ""
    assert list(tmp_path.iterdir()) == []


def test_far_behind_the_end_is_at_the_end(logs) -> None:
    logs.write(JOB, TASK, 1, "one\n", MAX_GAP + 1)
    assert whole(logs) == b"one\n"


def test_a_link_is_not_followed(logs, tmp_path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep")
    path = logs.path(JOB, TASK, 1)
    path.parent.mkdir(parents=True)
    path.symlink_to(precious)
    with pytest.raises(OSError, match="symbolic"):
        logs.write(JOB, TASK, 1, "overwritten", 0)
    assert precious.read_text() == "keep"


def test_the_tail_is_the_end(logs) -> None:
    logs.write(JOB, TASK, 1, "0123456789\n", 0)
    assert logs.tail(JOB, TASK, 1, 4) == b"789\n"
    assert logs.tail(JOB, TASK, 1, 400) == b"0123456789\n"
    assert logs.tail(JOB, TASK, 2, 4) == b""


@given(
    text=st.text("abc\näé😀", min_size=1, max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=6),
    order=st.randoms(use_true_random=False),
)
def test_chunks_make_the_text_in_whatever_order_they_come(tmp_path_factory, text, cuts, order):
    logs = TaskLogs(tmp_path_factory.mktemp("logs"))
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    chunks = [(start, text[start:end]) for start, end in pairwise(places)]
    chunks += chunks[:2]
    order.shuffle(chunks)
    for start, chunk in chunks:
        logs.write(JOB, TASK, 1, chunk, len(text[:start].encode()))
    assert whole(logs).decode() == text


def test_a_folder_goes_whole_though_files_come_meanwhile(logs, monkeypatch) -> None:
    logs.write(JOB, TASK, 1, "x", 0)
    late, removed = logs.folder(JOB) / "late.jpg", shutil.rmtree

    def rmtree(folder: Path) -> None:
        if calls.pop():
            (folder / "late.jpg").write_text("x")
            raise OSError(errno.ENOTEMPTY, "not empty")
        removed(folder)

    calls = [False, True, True]
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    logs.remove(JOB)
    assert (calls, late.exists(), logs.folder(JOB).parent.exists()) == ([], False, False)


def test_a_file_that_goes_meanwhile_does_not_keep_the_others(logs, monkeypatch) -> None:
    logs.write(JOB, TASK, 1, "x", 0)
    calls, removed = [False, True], shutil.rmtree

    def rmtree(folder: Path) -> None:
        if calls.pop():
            raise FileNotFoundError("somebody was faster")
        removed(folder)

    monkeypatch.setattr(shutil, "rmtree", rmtree)
    logs.remove(JOB)
    assert not logs.folder(JOB).exists()


def test_a_folder_that_cannot_be_removed_is_an_error(logs, monkeypatch) -> None:
    logs.write(JOB, TASK, 1, "x", 0)

    def rmtree(folder: Path) -> None:
        raise PermissionError(folder)

    monkeypatch.setattr(shutil, "rmtree", rmtree)
    with pytest.raises(PermissionError):
        logs.remove(JOB)
