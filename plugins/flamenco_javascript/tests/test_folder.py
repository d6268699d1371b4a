"""Which files are scripts, and which cannot be trusted."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from flamenco_javascript.folder import read_folders, read_script

posix = pytest.mark.skipif(os.name != "posix", reason="there are no such file modes")
TEXT = "const JOB_TYPE = {}; // may require"


def write(path: Path, text: str = TEXT, mode: int = 0o644) -> Path:
    path.parent.mkdir(exist_ok=True, mode=0o755)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_the_name_of_the_job_type_is_that_of_the_file(folder: Path) -> None:
    write(folder / "my_own_render.js")
    write(folder / "plain-name.js")
    assert list(read_folders([folder])) == ["my-own-render", "plain-name"]


def test_what_is_no_script_is_passed_over(folder: Path) -> None:
    write(folder / "notes.txt")
    write(folder / "tiny.js", "1234567")
    write(folder / "sub" / "inner.js")
    (folder / "dir.js").mkdir()
    assert read_folders([folder]) == {}


@posix
def test_links_are_passed_over(folder: Path, tmp_path: Path) -> None:
    outside = write(tmp_path / "outside.js")
    (folder / "link.js").symlink_to(outside)
    (folder / "gone.js").symlink_to(tmp_path / "nowhere")
    write(folder / "own.js")
    scripts = read_folders([folder])
    assert list(scripts) == ["own"]
    assert list(scripts["own"].libraries.texts) == ["own.js"]


def test_folders_that_do_not_exist_are_empty(tmp_path: Path) -> None:
    assert read_folders([tmp_path / "nowhere"]) == {}
    assert read_folders([write(tmp_path / "file")]) == {}


def test_of_two_folders_the_first_wins(folder: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    write(folder / "a.js", TEXT + "// first")
    write(second / "a.js", TEXT + "// second")
    write(second / "b.js")
    scripts = read_folders([folder, second])
    assert scripts["a"].source.endswith("// first")
    assert list(scripts) == ["a", "b"]


def test_of_two_files_for_one_name_the_last_wins(folder: Path) -> None:
    write(folder / "a-b.js", TEXT + "// dash")
    write(folder / "a_b.js", TEXT + "// underscore")
    assert read_folders([folder])["a-b"].source.endswith("// underscore")


def test_the_hash_is_that_of_the_file(folder: Path) -> None:
    path = write(folder / "a.js", "\ufeffconst ü = 1;")
    script = read_folders([folder])["a"]
    assert script.hash == hashlib.sha256(path.read_bytes()).hexdigest()
    assert script.source == "const ü = 1;"


def test_a_change_of_a_library_is_a_new_version(folder: Path) -> None:
    write(folder / "a.js")
    library = write(folder / "lib" / "b.js", "exports.x = 1")
    before = read_folders([folder])["a"]
    write(library, "exports.x = 2")
    after = read_folders([folder])["a"]
    assert before.hash == after.hash
    assert before.version != after.version


def test_without_a_require_the_edit_of_another_file_changes_nothing(folder: Path) -> None:
    write(folder / "a.js", "const JOB_TYPE = {};")
    write(folder / "b.js", "exports.x = 1")
    before = read_folders([folder])["a"]
    write(folder / "b.js", "exports.x = 2")
    assert read_folders([folder])["a"] == before
    assert before.libraries.texts == {}


def test_libraries_are_found_by_their_path_in_the_folder(folder: Path) -> None:
    write(folder / "a.js")
    write(folder / "lib" / "b.js")
    write(folder / "lib" / "c.json", "{}")
    write(folder / "lib" / "d.txt")
    write(folder / ".git" / "e.js")
    assert list(read_folders([folder])["a"].libraries.texts) == ["a.js", "lib/b.js", "lib/c.json"]


def test_a_file_that_is_no_text_is_broken(folder: Path) -> None:
    (folder / "a.js").write_bytes(b"// line 1\n// \xff\xfe and more")
    assert read_folders([folder])["a"].problem == "a.js:2: not UTF-8 text"


def test_a_very_large_file_is_broken(folder: Path) -> None:
    write(folder / "a.js", "//" + "x" * (1 << 20))
    assert read_folders([folder])["a"].problem == "a.js: larger than 1 MB"


@posix
def test_a_file_that_everybody_can_write_is_not_used(folder: Path) -> None:
    path = write(folder / "a.js", mode=0o666)
    write(folder / "b.js")
    scripts = read_folders([folder])
    assert scripts["a"].problem == (
        f"{path} can be written by everybody, so it is not used; chmod o-w it"
    )
    assert scripts["a"].source == ""
    assert scripts["b"].problem is None
    assert list(scripts["b"].libraries.texts) == ["b.js"]


@posix
def test_a_folder_that_everybody_can_write_to_is_not_used(folder: Path) -> None:
    write(folder / "a.js")
    folder.chmod(0o777)
    script = read_folders([folder])["a"]
    assert script.problem == (
        f"{folder} can be written by everybody, so it is not used; chmod o-w it"
    )
    assert script.libraries.texts == {}


@posix
def test_libraries_from_a_folder_that_everybody_can_write_to_are_left_out(folder: Path) -> None:
    write(folder / "a.js")
    write(folder / "open" / "b.js")
    (folder / "open").chmod(0o777)
    assert list(read_folders([folder])["a"].libraries.texts) == ["a.js"]


def test_a_single_script_is_read_with_its_libraries(folder: Path) -> None:
    write(folder / "b.js", "exports.x = 1")
    script = read_script(write(folder / "my_a.js"))
    assert (script.name, script.problem) == ("my-a", None)
    assert list(script.libraries.texts) == ["b.js", "my_a.js"]


def test_a_single_script_that_is_missing_says_so(folder: Path) -> None:
    assert "No such file" in (read_script(folder / "none.js").problem or "")
