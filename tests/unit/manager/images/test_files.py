from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flamenco_core.manager.images.files import ImageFiles
from flamenco_core.manager.logs import TaskLogs

JOB = "abcdef12-0000-4000-8000-000000000000"
FIRST = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
SECOND = "1f2c5e74-7c8e-4a51-8c5d-222222222222"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return TaskLogs(tmp_path).folder(JOB)


@pytest.fixture
def files(tmp_path: Path) -> ImageFiles:
    return ImageFiles(TaskLogs(tmp_path))


def content(files: ImageFiles, name: str) -> bytes | None:
    found = files.read(JOB, name)
    return found and found.data


def test_a_job_has_three_sizes_and_each_image_the_two_small_ones(files, folder) -> None:
    files.store(JOB, FIRST, [b"large", b"small", b"tiny"])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "last-rendered.jpg": b"large",
        "last-rendered-small.jpg": b"small",
        "last-rendered-tiny.jpg": b"tiny",
        f"image-{FIRST}-small.jpg": b"small",
        f"image-{FIRST}-tiny.jpg": b"tiny",
    }
    assert (folder / "last-rendered.jpg").stat().st_mode & 0o777 == 0o644


def test_a_job_shows_its_newest_and_each_image_stays(files) -> None:
    assert not files.has_any(JOB)
    files.store(JOB, FIRST, [b"1", b"1", b"1"])
    files.store(JOB, SECOND, [b"2", b"2", b"2"])
    assert files.has_any(JOB)
    assert content(files, "last-rendered.jpg") == b"2"
    assert content(files, f"image-{FIRST}-tiny.jpg") == b"1"
    assert content(files, f"image-{SECOND}-tiny.jpg") == b"2"
    files.remove(JOB, FIRST)
    assert content(files, f"image-{FIRST}-tiny.jpg") is None
    assert content(files, f"image-{FIRST}-small.jpg") is None
    assert content(files, "last-rendered.jpg") == b"2"


def test_only_what_never_changes_lasts(files) -> None:
    files.store(JOB, FIRST, [b"1", b"1", b"1"])
    assert files.read(JOB, f"image-{FIRST}-tiny.jpg").lasting
    assert not files.read(JOB, "last-rendered-tiny.jpg").lasting


def test_a_tag_changes_with_the_content(files) -> None:
    files.store(JOB, FIRST, [b"1", b"1", b"1"])
    before = files.read(JOB, "last-rendered.jpg")
    files.store(JOB, SECOND, [b"22", b"2", b"2"])
    assert files.read(JOB, "last-rendered.jpg").tag != before.tag


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "x.jpg", "../last-rendered.jpg", "last-rendered.jpg\n"),
        *(f"task-{FIRST}.1.txt", f"image-{FIRST}.jpg", ".image-abcdefgh"),
    ],
)
def test_nothing_else_is_an_image(files, folder, name) -> None:
    files.store(JOB, FIRST, [b"1", b"1", b"1"])
    for other in (f"task-{FIRST}.1.txt", "x.jpg", f"image-{FIRST}.jpg", ".image-abcdefgh"):
        (folder / other).write_text("x")
    (folder.parent / "last-rendered.jpg").write_text("x")
    assert files.read(JOB, name) is None


def test_a_file_that_cannot_be_made_leaves_nothing_half(files, folder) -> None:
    (folder / "last-rendered-small.jpg").mkdir(parents=True)
    with pytest.raises(OSError, match="last-rendered-small"):
        files.store(JOB, FIRST, [b"1", b"1", b"1"])
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    # The tiny one says that all are there, so it comes last.
    assert not files.has_any(JOB)


def test_what_was_stored_for_nobody_is_removed(files, folder, tmp_path) -> None:
    files.store(JOB, FIRST, [b"1", b"1", b"1"])
    files.remove_all(JOB, FIRST)
    assert list(tmp_path.iterdir()) == []
    files.store(JOB, FIRST, [b"1", b"1", b"1"])
    (folder / "task-x.1.txt").write_text("log")
    files.remove_all(JOB, FIRST)
    assert [path.name for path in folder.iterdir()] == ["task-x.1.txt"]
    files.remove_all(JOB, SECOND)


def test_a_folder_that_is_removed_meanwhile_is_not_made_again(files, folder, monkeypatch) -> None:
    def gone(*_: object, **__: object) -> None:
        folder.rmdir()

    (folder.parent).mkdir(parents=True)
    made = Path.mkdir
    monkeypatch.setattr(Path, "mkdir", lambda path, *a, **k: (made(path, *a, **k), gone()))
    with pytest.raises(FileNotFoundError):
        files.store(JOB, FIRST, [b"1", b"1", b"1"])
    assert not folder.exists()


KILLED = """
import sys
from pathlib import Path
from flamenco_core.manager.images.files import ImageFiles
from flamenco_core.manager.logs import TaskLogs
files = ImageFiles(TaskLogs(Path(sys.argv[1])))
print(flush=True)
while True:
    for letter in b"abc":
        files.store(sys.argv[2], sys.argv[3], [bytes([letter]) * 300_000] * 3)
"""


@pytest.mark.parametrize("stores", [1, 7])
def test_whoever_is_killed_leaves_no_half_image(files, folder, tmp_path, stores) -> None:
    argv = [sys.executable, "-c", KILLED, str(tmp_path), JOB, FIRST]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline()
        seen: set[int] = set()
        while len(seen) < stores:
            if (folder / "last-rendered-tiny.jpg").exists():
                seen.add((folder / "last-rendered.jpg").stat().st_mtime_ns)
        process.kill()
    for path in folder.glob("[!.]*"):
        data = path.read_bytes()
        assert len(data) == 300_000
        assert len(set(data)) == 1
