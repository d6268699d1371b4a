from __future__ import annotations

from pathlib import Path

import pytest

from flamenco_core.manager.images.files import ImageFiles
from flamenco_core.manager.logs import TaskLogs

JOB = "abcdef12-0000-4000-8000-000000000000"
TASK = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
OTHER = "1f2c5e74-7c8e-4a51-8c5d-222222222222"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return TaskLogs(tmp_path).folder(JOB)


@pytest.fixture
def files(tmp_path: Path) -> ImageFiles:
    return ImageFiles(TaskLogs(tmp_path))


def content(files: ImageFiles, name: str) -> bytes | None:
    found = files.read(JOB, name)
    return found and found.data


def test_a_job_has_three_sizes_and_a_task_the_two_small_ones(files, folder) -> None:
    files.store(JOB, TASK, [b"large", b"small", b"tiny"])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "last-rendered.jpg": b"large",
        "last-rendered-small.jpg": b"small",
        "last-rendered-tiny.jpg": b"tiny",
        f"task-{TASK}-last-rendered-small.jpg": b"small",
        f"task-{TASK}-last-rendered-tiny.jpg": b"tiny",
    }
    assert (folder / "last-rendered.jpg").stat().st_mode & 0o777 == 0o644


def test_a_job_shows_its_newest_and_each_task_its_own(files) -> None:
    files.store(JOB, TASK, [b"1", b"1", b"1"])
    files.store(JOB, OTHER, [b"2", b"2", b"2"])
    assert content(files, "last-rendered.jpg") == b"2"
    assert content(files, f"task-{TASK}-last-rendered-tiny.jpg") == b"1"
    assert content(files, f"task-{OTHER}-last-rendered-tiny.jpg") == b"2"


def test_when_it_came_is_known(files, folder) -> None:
    assert files.stored_at(JOB) is None
    files.store(JOB, TASK, [b"1", b"1", b"1"])
    modified = (folder / "last-rendered-tiny.jpg").stat().st_mtime_ns // 1000
    assert files.stored_at(JOB) == modified
    assert files.stored_at(JOB, TASK)
    assert files.stored_at(JOB, OTHER) is None


def test_a_tag_changes_with_the_content(files) -> None:
    files.store(JOB, TASK, [b"1", b"1", b"1"])
    before = files.read(JOB, "last-rendered.jpg")
    files.store(JOB, TASK, [b"22", b"2", b"2"])
    assert files.read(JOB, "last-rendered.jpg").tag != before.tag


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "x.jpg", "../last-rendered.jpg", "last-rendered.jpg\n", f"task-{TASK}.1.txt"],
)
def test_nothing_else_is_an_image(files, folder, name) -> None:
    files.store(JOB, TASK, [b"1", b"1", b"1"])
    (folder / f"task-{TASK}.1.txt").write_text("log")
    (folder / "x.jpg").write_text("x")
    (folder.parent / "last-rendered.jpg").write_text("x")
    assert files.read(JOB, name) is None


def test_a_file_that_cannot_be_made_leaves_nothing_half(files, folder) -> None:
    (folder / "last-rendered-small.jpg").mkdir(parents=True)
    with pytest.raises(OSError, match="last-rendered-small"):
        files.store(JOB, TASK, [b"1", b"1", b"1"])
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    # The tiny one says that all are there, so it comes last.
    assert files.stored_at(JOB) is None


def test_what_was_stored_for_nobody_is_removed(files, folder, tmp_path) -> None:
    files.store(JOB, TASK, [b"1", b"1", b"1"])
    files.remove(JOB, TASK)
    assert list(tmp_path.iterdir()) == []
    files.store(JOB, TASK, [b"1", b"1", b"1"])
    (folder / "task-x.1.txt").write_text("log")
    files.remove(JOB, TASK)
    assert [path.name for path in folder.iterdir()] == ["task-x.1.txt"]
