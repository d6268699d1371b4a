"""OpenEXR files as they are shown."""

from __future__ import annotations

import io

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from flamenco_core.pictures.exr import decoded
from flamenco_core.pictures.exr_header import BrokenExr
from flamenco_core.pictures.shrink import shrunk

GRAY, RED = {"R": 0.18, "G": 0.18, "B": 0.18}, {"R": 0.5, "G": 0.0, "B": 0.0}


def seen(data: bytes, fit=lambda size: size) -> np.ndarray:
    image = decoded(data, fit)
    assert image.mode == "RGB"
    return np.asarray(image).astype(int)


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_half_and_float_look_the_same(exr, kind) -> None:
    values = {name: np.full((36, 64), value, kind) for name, value in GRAY.items()}
    image = seen(exr(x=values))
    assert image.shape == (36, 64, 3)
    assert np.ptp(image) == 0
    assert abs(image[0, 0, 0] - 118) <= 1  # as Blender's AgX shows middle gray


def test_the_picture_is_shown_and_not_a_pass(exr) -> None:
    passes = {f"V.Diffuse.{name}": 9.0 for name in "RGB"}
    combined = {f"V.Combined.{name}": value for name, value in GRAY.items()}
    for file in ({"x": passes | combined}, {"V.Diffuse": passes, "V.Combined": combined}):
        assert np.ptp(seen(exr(**file))) == 0
        assert abs(seen(exr(**file))[0, 0, 0] - 118) <= 1


def test_black_and_white_is_gray(exr) -> None:
    assert (seen(exr(x={"V": 0.18})) == seen(exr(x=GRAY))).all()


def test_alpha_is_on_black_already(exr) -> None:
    assert (seen(exr(x={**GRAY, "A": 0.0})) == seen(exr(x=GRAY))).all()


def test_no_number_is_a_surprise(exr) -> None:
    strange = np.full((36, 64), 0.18, np.float32)
    strange[0, :6] = np.nan, np.inf, -np.inf, -5.0, 3e38, 1e-40
    image = seen(exr(x={"R": strange, "G": strange, "B": strange}))
    assert image[0, :6, 0].tolist() == [0, 255, 0, 0, 255, 0]
    assert (image[1:] == image[1, 0]).all()


def test_one_strange_pixel_spoils_no_others_when_it_shrinks(exr) -> None:
    strange = np.full((36, 64), 0.18, np.float32)
    strange[0, 0] = np.nan
    image = seen(exr(x={"V": strange}), lambda size: (16, 9))
    assert image.shape == (9, 16, 3)
    assert (image[1:] == image[1, 1]).all()


def windows(**sides):
    return {
        name: tuple(np.array(corners, np.int32).reshape(2, 2)) for name, corners in sides.items()
    }


@pytest.mark.parametrize(
    ("display", "shape", "light"),
    [
        ((0, 0, 63, 35), (36, 64), (0, 0, 36, 64)),
        # Pixels around what is shown, as overscan has them.
        ((10, 10, 29, 19), (10, 20), (0, 0, 10, 20)),
        # Only a part was rendered.
        ((-10, -20, 99, 79), (100, 110), (20, 10, 56, 74)),
        ((-100, -100, -91, -91), (10, 10), (0, 0, 0, 0)),
    ],
)
def test_what_lies_in_the_display_window_is_shown(exr, display, shape, light) -> None:
    image = seen(exr(header=windows(dataWindow=(0, 0, 63, 35), displayWindow=display), x=GRAY))[
        ..., 0
    ]
    assert image.shape == shape
    top, left, bottom, right = light
    inside = np.zeros(shape, bool)
    inside[top:bottom, left:right] = True
    assert (image[inside] > 100).all()
    assert (image[~inside] == 0).all()


@pytest.mark.parametrize("codec", [name for name in dir(OpenEXR) if name.endswith("_COMPRESSION")])
def test_all_ways_to_pack_it_are_read(exr, codec) -> None:
    image = seen(exr(header={"compression": getattr(OpenEXR, codec)}, x=GRAY))
    assert abs(image[0, 0, 0] - 118) <= 2


def test_jpegs_of_it_have_the_usual_sizes(exr) -> None:
    light = np.tile(np.linspace(0, 4, 2560, dtype=np.float16), (1440, 1))
    made = shrunk(exr(x={"R": light, "G": light, "B": light}), "EXR", [(1920, 1080), (200, 112)])
    images = [Image.open(io.BytesIO(data)) for data in made]
    assert [image.size for image in images] == [(1920, 1080), (199, 112)]
    ramp = [images[0].getpixel((x, 500))[0] for x in range(0, 1920, 100)]
    assert ramp == sorted(ramp)
    assert ramp[0] < 10
    assert ramp[-1] > 220


def test_half_a_file_is_broken_and_so_is_one_without_colors(exr) -> None:
    noise = np.random.default_rng(1).random((36, 64)).astype(np.float32)
    whole = exr(x={"R": noise, "G": noise, "B": noise})
    with pytest.raises((RuntimeError, ValueError)):
        decoded(whole[: len(whole) // 2], lambda size: size)
    with pytest.raises(BrokenExr, match="without colors"):
        decoded(exr(x={"Z": noise}), lambda size: size)


def test_a_header_that_lies_about_pixels_is_refused_before_it_is_decoded(exr) -> None:
    whole = bytearray(exr(x=GRAY))
    for name in (b"dataWindow", b"displayWindow"):
        at = whole.index(name + b"\0box2i\0") + len(name) + 7 + 4
        whole[at + 8 : at + 16] = b"\xff\xff\xff\x7f" * 2
    with pytest.raises(ValueError, match="2147483648 x 2147483648 pixels"):
        shrunk(bytes(whole), "EXR", [(200, 112)])
