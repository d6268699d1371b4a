"""The view, against what Blender 5.0 shows with AgX and no look.

The colors were saved by it as a PNG of 16 bits, from scene-linear Rec. 709.
"""

from __future__ import annotations

import numpy as np
import pytest

from flamenco_core.pictures.view import as_shown

BLENDER = [
    ((0.0007036, 0.0007036, 0.0007036), (0, 0, 0)),
    ((0.005612, 0.005612, 0.005612), (10, 10, 10)),
    ((0.02245, 0.02245, 0.02245), (35, 35, 35)),
    ((0.08985, 0.08985, 0.08985), (82, 82, 82)),
    ((0.1804, 0.1804, 0.1804), (118, 118, 118)),
    ((0.3595, 0.3595, 0.3595), (154, 154, 154)),
    ((1.439, 1.439, 1.439), (208, 208, 208)),
    ((11.56, 11.56, 11.56), (251, 251, 251)),
    ((0.02236, 0, 0), (30, 0, 0)),
    ((0.1811, 0, 0), (109, 4, 0)),
    ((1.446, 0, 0), (233, 84, 62)),
    ((0, 0.02236, 0), (2, 31, 0)),
    ((0, 0.1811, 0), (23, 111, 0)),
    ((0, 1.446, 0), (133, 209, 109)),
    ((0, 0, 0.02236), (0, 5, 31)),
    ((0, 0, 0.1811), (0, 34, 111)),
    ((0, 0, 1.446), (60, 104, 223)),
    ((0.5826, 0.3025, 0.4308), (177, 149, 163)),
    ((0.5022, 0.5647, 0.8459), (171, 177, 191)),
    ((4.766, 3.516, 4.255), (236, 231, 234)),
    ((0.4354, 0.4424, 0.1552), (165, 161, 117)),
    ((0.7851, 0.9963, 0.7128), (189, 195, 185)),
    ((0.009613, 0.01734, 0.01088), (18, 28, 20)),
    ((0.09221, 0.1752, 0.06415), (86, 112, 67)),
    ((0.6523, 0.4755, 1.021), (179, 173, 199)),
    ((0.05324, 0.4326, 0.1579), (89, 161, 114)),
    ((4.426, 4.429, 4.429), (235, 235, 235)),
    ((0.01311, 0.01242, 0.01589), (23, 23, 27)),
    ((0.2735, 0.2983, 0.8352), (143, 153, 194)),
    ((0.02261, 0.005574, 0.007878), (33, 11, 15)),
    ((0.1679, 0.1391, 0.08816), (113, 102, 81)),
    ((0.01237, 0.08115, 0.02185), (21, 73, 34)),
    ((0.2202, 0.05082, 0.2595), (126, 73, 139)),
]


def shown(*light: float) -> list[int]:
    return as_shown(np.array([[light]], np.float32))[0, 0].astype(int).tolist()


@pytest.mark.parametrize(("light", "levels"), BLENDER)
def test_colors_look_about_as_in_blender(light, levels) -> None:
    assert all(abs(a - b) <= 18 for a, b in zip(shown(*light), levels, strict=True))


def test_on_the_whole_they_look_as_in_blender() -> None:
    off = [np.abs(np.array(shown(*light)) - levels).mean() for light, levels in BLENDER]
    assert np.mean(off) < 3


def test_grays_look_as_in_blender() -> None:
    grays = [(light, levels) for light, levels in BLENDER if len(set(light)) == 1]
    assert len(grays) > 5
    for light, levels in grays:
        found = shown(*light)
        assert len(set(found)) == 1
        assert abs(found[0] - levels[0]) <= 2


def test_more_light_is_never_darker() -> None:
    for color in np.eye(3), np.ones((3, 3)):
        light = color[0] * 2.0 ** np.linspace(-15, 16, 500)[:, None]
        found = as_shown(light[None].astype(np.float32))[0].astype(int).sum(axis=-1)
        assert (np.diff(found) >= -1).all()


def test_black_is_black_and_the_brightest_is_white() -> None:
    assert shown(0, 0, 0) == [0, 0, 0]
    assert shown(65504, 65504, 65504) == [255, 255, 255]


def test_all_rows_are_shown() -> None:
    light = np.full((150, 3, 3), 0.18, np.float32)
    assert (as_shown(light) == as_shown(light)[0, 0]).all()
