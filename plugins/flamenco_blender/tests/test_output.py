from __future__ import annotations

import pytest
from flamenco_blender.output import (
    FileSaved,
    FrameDone,
    FrameStarted,
    Trouble,
    error_in,
    read_line,
)

# A frame in the words of each generation; the numbers are made up.
GENERATIONS = {
    "3.x": (
        "Fra:7 Mem:31.20M (Peak 40.00M) | Time:00:01.10 | Mem:2.0M, Peak:2.0M | Scene | Sample 3/8",
        "Saved: '/farm/shot/000007.png'",
        " Time: 00:01.90 (Saving: 00:00.20)",
    ),
    "4.x": (
        "Fra:7 Mem:31.20M (Peak 40.00M) | Time:00:01.10 | Remaining:00:02.10 | Scene | Sample 3/8",
        "Saved: '/farm/shot/000007.png'",
        "Time: 00:01.90 (Saving: 00:00.20)",
    ),
    "5.x": (
        "00:02.100  render           | Fra: 7 | Remaining: 00:02.10 | Mem: 31M | Sample 3/8",
        "00:03.000  render           | Saved: '/farm/shot/000007.png'",
        "00:03.001  render           | Time: 00:01.90 (Saving: 00:00.20)",
    ),
    "bpy 5.x behind our program": (
        "Fra:7 Remaining: 00:02.10 | Mem: 31M | Sample 3/8",
        "00:03.000  render           | Saved: '/farm/shot/000007.png'",
        " Time: 00:01.90 (Saving: 00:00.20)",
    ),
}


@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_generation_says_the_same_three_things(generation):
    assert [read_line(line) for line in GENERATIONS[generation]] == [
        FrameStarted(7),
        FileSaved("/farm/shot/000007.png"),
        FrameDone(),
    ]


@pytest.mark.parametrize(
    "line",
    [
        'skipping existing frame "/farm/shot/000007.png"',
        'Skipping existing frame "/farm/shot/000007.png"',
        '00:00.100  render           | Skipping existing frame "/farm/shot/000007.png"',
    ],
)
def test_a_frame_that_is_there_already_is_done(line):
    assert read_line(line) == FrameDone()


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("Saved: 'it's here.png'", "it's here.png"),
        (r"Saved: 'R:\shot\0001.exr'", r"R:\shot\0001.exr"),
        ("[addon] Saved: '/x/ä ö.jpg'  ", "/x/ä ö.jpg"),
        ("Fra-ming done. Saved: '/x.png'", "/x.png"),
    ],
)
def test_saved_files_are_found_wherever_the_line_starts(line, path):
    assert read_line(line) == FileSaved(path)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Blender 4.2.0",
        'Read blend: "/farm/shot.blend"',
        'Info: Saved "shot.blend"',
        "Remaining Time: 00:10.00",
        "Time: soon",
        "Time:00:01.90",
        "UnSaved: '/x.png'",
        "Append frame 7",
        "Info: No frames rendered, skipped to not overwrite",
        "Error: Format from '-F / --render-format' not known or not compiled in this release.",
        "my add-on: no camera is used",
        "Blender quit",
    ],
)
def test_other_lines_mean_nothing(line):
    assert read_line(line) is None


def test_negative_frames_are_frames():
    assert read_line("Fra:-3 Mem:1M") == FrameStarted(-3)


@pytest.mark.parametrize(
    ("line", "text", "when"),
    [
        ("Error: Cannot render, no camera", "no camera", "unless-rendered"),
        ('Error: No camera found in scene "Shot"', "no camera", "unless-rendered"),
        ("00:01.0  render  | ERROR Cannot render, no camera", "", None),
        ("Error: Cannot read file '/x.blend': No such file", "cannot open '/x.blend'", None),
        ('Error: File format is not supported in file "/x.blend"', "not a blend file", None),
        ("Error: engine not found 'LUX'", "no render engine 'LUX'", "always"),
        ("Can't find scene: 'Shot' in file: '/x.blend'", "no scene 'Shot'", "stop"),
        (
            "Error: Render error (No space left on device) cannot save: '/x/0001.png'",
            "cannot save /x/0001.png: No space left on device",
            "always",
        ),
        ("Error: not a number '-f / --render-frame x'.", "not a number", "unless-rendered"),
    ],
)
def test_signs_of_trouble_are_told_in_plain_words(line, text, when):
    sign = read_line(line)
    if not text:
        assert sign is None
        return
    assert isinstance(sign, Trouble)
    assert text in sign.text
    assert when in (None, sign.when)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("Error: Error: it broke", "it broke"),
        (
            "00:01.02  image            | ERROR Couldn't create directory",
            "Couldn't create directory",
        ),
        (
            "ModuleNotFoundError: No module named 'rig'",
            "ModuleNotFoundError: No module named 'rig'",
        ),
        ("some.module.RigError: bad", "some.module.RigError: bad"),
        ("Error: script failed, expr: 'x', exiting.", None),
        ("Error: Python: Traceback (most recent call last):", None),
        ("    raise ValueError('x')", None),
        ("No Error: here", None),
    ],
)
def test_errors_explain_an_exit_code(line, text):
    assert error_in(line) == text
