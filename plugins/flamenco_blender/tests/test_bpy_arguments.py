from __future__ import annotations

import pytest
from flamenco_blender.bpy_arguments import OPTIONS, BadValue, Quit, help_text, walk
from flamenco_blender.bpy_frames import SceneRange, frames_in, moved
from flamenco_blender.bpy_report import line_of
from flamenco_blender.bpy_session import Session


class Diary:
    """Writes down what it is asked to do."""

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []

    def __getattr__(self, name: str):
        return lambda *values: self.done.append((name, *values))


def walked(*argv: str) -> list[tuple[str, ...]]:
    diary = Diary()
    walk(argv, diary)
    return diary.done


def test_options_act_in_the_order_in_which_they_stand():
    assert walked(
        "-b", "a.blend", "-o", "//x", "-s", "1", "-e", "2", "-a", "b.blend", "-f", "3"
    ) == [
        ("load", "a.blend"),
        ("output", "//x"),
        ("start", "1"),
        ("end", "2"),
        ("render_anim",),
        ("load", "b.blend"),
        ("render_frame", "3"),
    ]


def test_some_options_act_before_all_others():
    assert walked("-f", "1", "-y", "--factory-startup", "-t", "2")[:3] == [
        ("autoexec",),
        ("factory",),
        ("threads", "2"),
    ]


def test_the_rest_belongs_to_scripts():
    assert walked("-P", "x.py", "--", "-a", "--version") == [("python_file", "x.py")]


def test_values_that_look_like_options_are_values():
    assert walked("-f", "-1", "-o", "-a") == [("render_frame", "-1"), ("output", "-a")]


def test_options_without_effect_swallow_their_values():
    given = "--log render --log-level 2 -p 0 0 10 10 --debug-cycles -d -noaudio --debug-value 3"
    assert walked(*given.split(), "x.blend") == [("load", "x.blend")]


def test_an_unknown_option_is_taken_for_a_file_as_blender_does():
    assert walked("--nonsense") == [("load", "--nonsense")]


def test_a_missing_value_is_told_and_survived(capsys):
    assert walked("a.blend", "-f") == [("load", "a.blend")]
    assert "Error: a value must follow '-f / --render-frame'." in capsys.readouterr().out


def test_a_bad_value_is_told_and_survived(capsys):
    class Fussy(Diary):
        def start(self, text: str) -> None:
            raise BadValue("not a number")

    diary = Fussy()
    walk(["-s", "x", "-a"], diary)
    assert diary.done == [("render_anim",)]
    assert "Error: not a number" in capsys.readouterr().out


def test_quitting_ends_the_walk():
    class Tired(Diary):
        def load(self, path: str) -> None:
            raise Quit(1)

    diary = Tired()
    with pytest.raises(Quit):
        walk(["x.blend", "-a"], diary)
    assert diary.done == []


def test_every_option_has_a_method_and_only_one_spelling_each():
    names = [name for option in OPTIONS for name in option.names]
    assert len(names) == len(set(names))
    assert all(hasattr(Session, option.act) for option in OPTIONS if option.act)
    assert all(name in help_text() for name in ("--render-frame", "--python-exit-code", "-y"))


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("7", [7]),
        ("3,1..3,9", [3, 1, 2, 3, 9]),
        ("+0", [10]),
        ("+2", [12]),
        ("-1", [20]),
        ("-2", [19]),
        ("+0..+2", [10, 11, 12]),
        ("1,3..2", [1]),
        ("3..2", []),
    ],
)
def test_frames_are_read_as_blender_reads_them(text, frames):
    assert frames_in(text, SceneRange(10, 20), "-f") == frames


@pytest.mark.parametrize("text", ["", "x", "1,", "1..", "1-3", "1,x"])
def test_what_is_no_frame_is_refused_as_a_whole(text):
    with pytest.raises(BadValue, match="not a number '-f"):
        frames_in(text, SceneRange(1, 2), "-f")


@pytest.mark.parametrize(("text", "frame"), [("5", 5), ("+2", 12), ("-3", 7)])
def test_first_and_last_frame_can_be_moved(text, frame):
    assert moved(10, text, "-s") == frame


def test_the_end_of_a_frame_is_told_in_blenders_words():
    assert line_of(3, "Time: 00:01.00 (Saving: 00:00.01)") == " Time: 00:01.00 (Saving: 00:00.01)"
    assert line_of(3, "Mem: 2M | Sample 1/2") == "Fra:3 Mem: 2M | Sample 1/2"
