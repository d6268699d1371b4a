from __future__ import annotations

import errno
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from flamenco_core.errors import CommandError

posix = pytest.mark.skipif(sys.platform == "win32", reason="reads modes of POSIX")


@pytest.fixture
def no_umask() -> Any:
    former = os.umask(0o002)
    yield
    os.umask(former)


# ---------------------------------------------------------------- make-directory


async def test_a_folder_is_made_with_those_above_it(run_command: Any, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    for _ in range(2):
        record = await run_command("make-directory", {"path": str(path)})
        assert record.lines == [f'make-directory: creating directory "{path}"']
    assert path.is_dir()


@posix
async def test_new_folders_are_open_to_the_group(
    run_command: Any, tmp_path: Path, no_umask: None
) -> None:
    await run_command("make-directory", {"path": str(tmp_path / "a" / "b")})
    for folder in (tmp_path / "a", tmp_path / "a" / "b"):
        assert folder.stat().st_mode & 0o777 == 0o775


async def test_a_file_in_the_way_of_a_folder_is_named(run_command: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    for path in (tmp_path / "a", tmp_path / "a" / "b"):
        with pytest.raises(CommandError, match="cannot create directory"):
            await run_command("make-directory", {"path": str(path)})


# --------------------------------------------------------------------- copy-file


async def test_a_file_is_copied(run_command: Any, tmp_path: Path) -> None:
    src, dest = tmp_path / "src.blend", tmp_path / "new" / "dest.blend"
    src.write_bytes(b"x" * 3_000_000)
    record = await run_command("copy-file", {"src": str(src), "dest": str(dest)})
    assert dest.read_bytes() == src.read_bytes()
    assert record.lines == [
        f'copy-file: copying "{src}" to "{dest}"',
        f'copy-file: copied "{src}" to "{dest}"',
    ]


@posix
async def test_modes_of_copies_are_those_of_new_files(
    run_command: Any, tmp_path: Path, no_umask: None
) -> None:
    src, dest = tmp_path / "src", tmp_path / "new" / "dest"
    src.write_bytes(b"x")
    src.chmod(0o400)
    await run_command("copy-file", {"src": str(src), "dest": str(dest)})
    assert dest.stat().st_mode & 0o777 == 0o664
    assert dest.parent.stat().st_mode & 0o777 == 0o750


async def test_an_existing_file_is_never_overwritten(run_command: Any, tmp_path: Path) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    src.write_text("new")
    dest.write_text("old")
    with pytest.raises(CommandError, match="exists already"):
        await run_command("copy-file", {"src": str(src), "dest": str(dest)})
    assert dest.read_text() == "old"


async def test_a_missing_source_is_named(run_command: Any, tmp_path: Path) -> None:
    src, dest = str(tmp_path / "src"), str(tmp_path / "new" / "dest")
    with pytest.raises(CommandError, match="does not exist"):
        await run_command("copy-file", {"src": src, "dest": dest})
    assert not (tmp_path / "new").exists()


async def test_a_folder_is_not_copied(run_command: Any, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="not a regular file"):
        await run_command("copy-file", {"src": str(tmp_path), "dest": str(tmp_path / "dest")})


@pytest.mark.parametrize(("src", "dest"), [("a", "/b"), ("/a", "b"), ("", "/b"), ("/a", " ")])
async def test_paths_of_copies_are_absolute(run_command: Any, src: str, dest: str) -> None:
    with pytest.raises(CommandError, match=r'copy-file: parameter "(src|dest)" has invalid'):
        await run_command("copy-file", {"src": src, "dest": dest})


# ---------------------------------------------------------------- move-directory


@pytest.fixture
def src(tmp_path: Path) -> Path:
    src = tmp_path / "src"
    (src / "sub").mkdir(parents=True)
    (src / "sub" / "frame.png").write_text("new")
    return src


async def move(run_command: Any, src: Path, dest: Path) -> list[str]:
    record = await run_command("move-directory", {"src": str(src), "dest": str(dest)})
    return record.lines  # type: ignore[no-any-return]


async def test_a_folder_is_moved(run_command: Any, tmp_path: Path, src: Path) -> None:
    dest = tmp_path / "dest"
    lines = await move(run_command, src, dest)
    assert lines == [f'move-directory: moving "{src}" to "{dest}"']
    assert (dest / "sub" / "frame.png").read_text() == "new"
    assert not src.exists()


async def test_what_is_in_the_way_is_kept_under_a_name_with_its_date(
    run_command: Any, tmp_path: Path, src: Path
) -> None:
    dest = tmp_path / "dest"
    dest.mkdir()
    (dest / "old").write_text("")
    changed = datetime(2024, 5, 6, 7, 8, 9).timestamp() + 0.6
    os.utime(dest, (changed, changed))
    aside = tmp_path / "dest-2024-05-06_070810"
    lines = await move(run_command, src, dest)
    assert lines == [
        f'move-directory: moving "{dest}" to "{aside}"',
        f'move-directory: moving "{src}" to "{dest}"',
    ]
    assert (aside / "old").exists()


@pytest.mark.parametrize(
    ("taken", "expected"),
    [([""], "-001"), (["", "-001"], "-002"), (["", "-009", "-x"], "-010"), (["", "-999"], "-1000")],
)
async def test_when_that_name_is_taken_it_gets_a_number(
    run_command: Any, tmp_path: Path, src: Path, taken: list[str], expected: str
) -> None:
    dest = tmp_path / "dest"
    dest.mkdir()
    for suffix in taken:
        (tmp_path / f"dest-2024-05-06_070809{suffix}").mkdir()
    changed = datetime(2024, 5, 6, 7, 8, 9).timestamp()
    os.utime(dest, (changed, changed))
    await move(run_command, src, dest)
    assert (tmp_path / f"dest-2024-05-06_070809{expected}").is_dir()


async def test_files_are_moved_as_well(run_command: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    await move(run_command, tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "x"


async def test_a_missing_source_moves_nothing(run_command: Any, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    dest.mkdir()
    with pytest.raises(CommandError, match=r"source path .* does not exist"):
        await move(run_command, tmp_path / "nowhere", dest)
    assert [f.name for f in tmp_path.iterdir() if f.name != "worker-home"] == ["dest"]


class OtherFileSystem:
    """Makes renames fail as they do from one file system to another."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, src: Path) -> None:
        real = Path.rename

        def rename(path: Path, target: Any) -> Path:
            if path == src:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            return real(path, target)

        monkeypatch.setattr(Path, "rename", rename)


async def test_between_file_systems_it_is_copied_and_removed(
    run_command: Any, tmp_path: Path, src: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    OtherFileSystem(monkeypatch, src)
    dest = tmp_path / "dest"
    await move(run_command, src, dest)
    assert (dest / "sub" / "frame.png").read_text() == "new"
    assert not src.exists()
    assert sorted(f.name for f in tmp_path.iterdir() if f.name != "worker-home") == ["dest"]


async def test_a_failed_move_between_file_systems_leaves_all_as_it_was(
    run_command: Any, tmp_path: Path, src: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    OtherFileSystem(monkeypatch, src)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(CommandError, match="No space left"):
        await move(run_command, src, tmp_path / "dest")
    assert (src / "sub" / "frame.png").exists()
    assert sorted(f.name for f in tmp_path.iterdir() if f.name != "worker-home") == ["src"]

    (tmp_path / "dest").mkdir()
    (tmp_path / "dest" / "old").write_text("")
    with pytest.raises(CommandError, match="No space left"):
        await move(run_command, src, tmp_path / "dest")
    assert (src / "sub" / "frame.png").exists()
    assert (tmp_path / "dest" / "old").exists()
