from __future__ import annotations

from pathlib import Path

import pytest
from flamenco_ffmpeg.frames import find_frames, index_of, kind_of, natural

from flamenco_core import CommandError


def touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")


def names(pattern: str) -> list[str]:
    return [frame.name for frame in find_frames(pattern)]


def test_frames_come_in_the_order_of_their_numbers(tmp_path):
    touch(tmp_path, "f10.png", "f9.png", "f0011.png", "f1.png")
    assert names(f"{tmp_path}/*.png") == ["f1.png", "f9.png", "f10.png", "f0011.png"]


def test_natural_order_ignores_case_and_compares_all_parts():
    given = ["b2_10", "A1_2", "a1_10", "B2_9"]
    assert sorted(given, key=natural) == ["A1_2", "a1_10", "B2_9", "b2_10"]


def test_other_files_are_no_frames(tmp_path):
    touch(tmp_path, "1.png", "1.exr", ".2.png", "notes.txt")
    (tmp_path / "3.png").mkdir()
    assert names(f"{tmp_path}/*.png") == ["1.png"]


def test_the_case_of_an_extension_does_not_matter(tmp_path):
    touch(tmp_path, "1.PNG", "2.png")
    assert names(f"{tmp_path}/*.png") == ["1.PNG", "2.png"]


def test_windows_slashes_are_understood(tmp_path):
    touch(tmp_path / "shot", "1.png")
    assert names(f"{tmp_path}\\shot\\*.png") == ["1.png"]


def test_brackets_in_an_existing_folder_are_part_of_its_name(tmp_path):
    touch(tmp_path / "shot [a]*", "1.png")
    touch(tmp_path / "shot a", "2.png")
    assert names(f"{tmp_path}/shot [a]*/*.png") == ["1.png"]


def test_a_pattern_may_span_folders(tmp_path):
    touch(tmp_path / "a", "2.png")
    touch(tmp_path / "b", "1.png")
    assert names(f"{tmp_path}/?/*.png") == ["1.png", "2.png"]


@pytest.mark.parametrize("pattern", ["*.jpg", "none/*.png"])
def test_no_frames_is_an_error_that_names_the_pattern(tmp_path, pattern):
    touch(tmp_path, "1.png")
    with pytest.raises(CommandError, match="no file matches") as caught:
        find_frames(f"{tmp_path}/{pattern}")
    assert pattern in str(caught.value)


def test_an_empty_file_is_an_error_that_names_it(tmp_path):
    touch(tmp_path, "1.png")
    (tmp_path / "2.png").touch()
    with pytest.raises(CommandError, match=r"1 frames are empty.*2\.png"):
        find_frames(f"{tmp_path}/*.png")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.JPG", ".jpg"), ("a.jpeg", ".jpg"), ("a.tiff", ".tif"), ("a.b.png", ".png"), ("a", "")],
)
def test_spellings_of_one_file_format_are_one_kind(name, kind):
    assert kind_of(Path(name)) == kind


def test_the_index_has_a_file_and_a_duration_for_each_frame(tmp_path):
    assert index_of([tmp_path / "1.png"], 24).splitlines() == [
        "ffconcat version 1.0",
        f"file '{tmp_path.as_posix()}/1.png'",
        "duration 0.041666667",
    ]


def test_quotes_in_names_are_quoted(tmp_path):
    assert r"/it'\''s \n #1.png'" in index_of([tmp_path / r"it's \n #1.png"], 24)


def test_a_line_break_in_a_name_is_refused(tmp_path):
    with pytest.raises(CommandError, match="line break"):
        index_of([tmp_path / "a\nfile 'b.png"], 24)
