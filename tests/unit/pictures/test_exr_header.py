"""Headers as OpenEXR writes them, and as strangers might."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.pictures.exr_header import (
    Box,
    BrokenExr,
    find_picture,
    read_parts,
    size_to_decode,
)
from flamenco_core.pictures.kinds import TooLarge, Unknown, checked_kind

MAGIC = b"v/1\x01\x02\0\0\0"
SEVERAL = b"v/1\x01\x02\x10\0\0"
RGB = {"R": 1.0, "G": 0.5, "B": 0.0}


def attribute(name: str, kind: str, value: bytes) -> bytes:
    return f"{name}\0{kind}\0".encode() + struct.pack("<i", len(value)) + value


def box(name: str, *sides: int) -> bytes:
    return attribute(name, "box2i", struct.pack("<4i", *sides))


def channels(*names: str, kind: int = 1, sampling: int = 1) -> bytes:
    one = struct.pack("<i4x2i", kind, sampling, sampling)
    value = b"".join(name.encode() + b"\0" + one for name in names)
    return attribute("channels", "chlist", value + b"\0")


def header(*names: str, data=(0, 0, 63, 35), display=(0, 0, 63, 35), also: bytes = b"", **how):
    boxes = box("dataWindow", *data) + box("displayWindow", *display)
    return channels(*(names or "BGR"), **how) + boxes + also + b"\0"


def prefixed(layer: str, names: str) -> dict[str, float]:
    return {f"{layer}.{name}": 0.5 for name in names}


def test_what_a_file_has_is_read(exr) -> None:
    (part,) = read_parts(exr(x={**RGB, "A": 1.0, "Z": 3.0}))
    assert part.data == part.display == Box(0, 0, 63, 35)
    assert part.data.size == (64, 36)
    assert part.channels == dict.fromkeys("ABGRZ", 4)
    assert not part.deep
    assert size_to_decode([part]) == 64 * 36 * 5 * 4
    assert find_picture([part]) == (0, ["R", "G", "B"])


def test_several_parts_are_read(exr) -> None:
    parts = read_parts(exr(depth={"Z": 1.0}, picture=RGB))
    assert [part.name for part in parts] == ["depth", "picture"]
    assert find_picture(parts) == (1, ["R", "G", "B"])


@pytest.mark.parametrize(
    ("file", "number", "names"),
    [
        # As Blender 5 writes it by default, and with "Interleave".
        (
            {
                "View.Depth": prefixed("View.Depth", "Z"),
                "View.Diffuse": prefixed("View.Diffuse", "RGB"),
                "View.Combined": prefixed("View.Combined", "RGBA"),
            },
            2,
            ["View.Combined.R", "View.Combined.G", "View.Combined.B"],
        ),
        (
            {"x": prefixed("A.Diffuse", "RGB") | prefixed("V.Combined", "RGBA")},
            0,
            ["V.Combined.R", "V.Combined.G", "V.Combined.B"],
        ),
        # Two view layers: the first.
        (
            {"x": prefixed("B.Combined", "RGB") | prefixed("A.Combined", "RGB")},
            0,
            ["A.Combined.R", "A.Combined.G", "A.Combined.B"],
        ),
        ({"x": RGB | prefixed("diffuse", "RGB")}, 0, ["R", "G", "B"]),
        (
            {"x": prefixed("beauty", "RGB") | prefixed("albedo", "RGB")},
            0,
            ["beauty." + c for c in "RGB"],
        ),
        ({"x": prefixed("diffuse", "RGB")}, 0, ["diffuse." + c for c in "RGB"]),
        # Black and white; but Y is a color only where there is no X.
        ({"x": {"V": 0.5}}, 0, ["V"]),
        ({"x": {"Y": 0.5} | prefixed("Normal", "XYZ")}, 0, ["Y"]),
    ],
)
def test_the_picture_is_found_among_passes(exr, file, number, names) -> None:
    assert find_picture(read_parts(exr(**file))) == (number, names)


@pytest.mark.parametrize("names", ["Z", "RG", "XYZ", "A"])
def test_without_colors_there_is_no_picture(exr, names) -> None:
    with pytest.raises(BrokenExr, match="without colors"):
        find_picture(read_parts(exr(x=dict.fromkeys(names, 1.0))))


def test_deep_pixels_and_skipped_ones_are_no_picture() -> None:
    deep = attribute("type", "string", b"deepscanline")
    for head in (header(also=deep), header(sampling=2)):
        parts = read_parts(MAGIC + head)
        assert size_to_decode(parts) > 0
        with pytest.raises(BrokenExr, match="without colors"):
            find_picture(parts)


@pytest.mark.parametrize(
    "head",
    [
        header(data=(0, 0, 2_000_000_000, 35)),
        header(data=(-(2**31), -(2**31), 2**31 - 1, 2**31 - 1)),
        header(display=(0, 0, 49_999, 49_999)),
    ],
)
def test_a_giant_window_is_too_large(head) -> None:
    with pytest.raises(TooLarge, match="pixels are too many"):
        checked_kind(MAGIC + head)


def test_so_are_layers_that_are_too_many_together() -> None:
    names = [f"layer{number:03}.R" for number in range(200)]
    with pytest.raises(TooLarge, match=r"3\.1 GiB"):
        checked_kind(MAGIC + header(*names, data=(0, 0, 4095, 2047)))
    part = header("R", kind=2, data=(0, 0, 7999, 5999))
    with pytest.raises(TooLarge, match=r"0\.5 GiB"):
        checked_kind(SEVERAL + part * 3 + b"\0")
    assert checked_kind(SEVERAL + part * 2 + b"\0") == "EXR"


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (MAGIC, "broken header"),
        (MAGIC + b"\0", "broken header"),
        (MAGIC + header()[:-1], "broken header"),
        (MAGIC + attribute("dataWindow", "box2i", b"1234"), "broken header"),
        (MAGIC + b"x" * 1000, "broken header"),
        (MAGIC + b"a\0b\0" + struct.pack("<i", -1), "broken header"),
        (MAGIC + b"a\0b\0" + struct.pack("<i", 2**31 - 1), "broken header"),
        (MAGIC + header(data=(5, 5, 4, 5)), "dataWindow is empty"),
        (MAGIC + header(kind=9), "channel 'B' is of an unknown type"),
        (MAGIC + b"".join(attribute(f"a{n}", "int", b"") for n in range(1001)), "too many attr"),
        (SEVERAL + header() * 1001 + b"\0", "too many parts"),
        (SEVERAL + b"\0", "without a part"),
    ],
)
def test_a_header_that_makes_no_sense_is_named(file, reason) -> None:
    with pytest.raises(BrokenExr, match=reason):
        read_parts(file)
    with pytest.raises(Unknown, match="an OpenEXR w"):
        checked_kind(file)


@given(st.data())
def test_wherever_a_header_ends_or_lies_it_is_no_surprise(data) -> None:
    file = bytearray(SEVERAL + header() + header("Z") + b"\0")
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(4, len(file) - 1))
        file[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BrokenExr):
        find_picture(read_parts(bytes(file[: data.draw(st.integers(0, len(file)))])))
