# Sent to Blender as text, see single_image_render.py: needs nothing but Blender's Python,
# not even numpy. No word in braces: the Manager would take it for a variable.
# ruff: noqa: T201, UP032
"""Render one tile of a picture, and put the tiles together; runs inside Blender."""

from __future__ import annotations

import sys
from array import array
from typing import Any

Span = tuple[int, int]

MARGIN = 16
"""Pixels that tiles overlap, so that denoising and blur see across their edges."""


def cut(length: int, count: int, index: int) -> Span:
    """Return where piece *index* of *count* starts and ends; all pixels are in one."""
    return length * index // count, length * (index + 1) // count


def widened(span: Span, length: int) -> Span:
    """Return *span* with the margin, inside of the picture."""
    return max(0, span[0] - MARGIN), min(length, span[1] + MARGIN)


def both(length: int, count: int, index: int) -> tuple[Span, Span]:
    """Return a piece without, and with its margin."""
    span = cut(length, count, index)
    return span, widened(span, length)


def size_of(render: Any) -> Span:
    """Return width and height in pixels, rounded as Blender does."""
    percent = render.resolution_percentage
    return render.resolution_x * percent // 100, render.resolution_y * percent // 100


def part(pixel: int, length: int) -> float:
    """Return a pixel as a part of the whole that comes back as the same pixel.

    Blender keeps it as a short float; old versions then cut it off, new ones round it.
    """
    return min(1.0, (pixel + 0.25) / length)


def prepare_tile(columns: int, rows: int, column: int, row: int) -> None:
    """Make the scene render one tile, as exact as it is before it is saved."""
    import bpy  # type: ignore[import-not-found, unused-ignore]

    render = bpy.context.scene.render
    width, height = size_of(render)
    _, (left, right) = both(width, columns, column)
    _, (bottom, top) = both(height, rows, row)
    render.use_border = render.use_crop_to_border = True
    render.border_min_x, render.border_max_x = part(left, width), part(right, width)
    render.border_min_y, render.border_max_y = part(bottom, height), part(top, height)
    render.use_sequencer = False
    render.use_file_extension = render.use_overwrite = True
    render.use_placeholder = False
    save_exactly(render.image_settings)


def save_exactly(settings: Any) -> None:
    """Save floats before any view transform: that is for the whole picture."""
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format = "OPEN_EXR"
    settings.color_mode = "RGBA"
    settings.color_depth = "32"
    settings.exr_codec = "ZIP"
    if hasattr(settings, "color_management"):
        settings.color_management = "FOLLOW_SCENE"


def merge(columns: int, rows: int, frame: int) -> None:
    """Put the tiles together and save them as the scene saves its renders.

    The command line has, after "--", what the tiles' names start with, and the picture's.
    """
    import bpy  # type: ignore[import-not-found, unused-ignore]

    prefix, path = sys.argv[sys.argv.index("--") + 1 :]
    width, height = size_of(bpy.context.scene.render)
    whole = array("f", bytes(width * height * 16))
    for row in range(rows):
        for column in range(columns):
            name = "{}-r{}c{}-{:06d}.exr".format(prefix, row + 1, column + 1, frame)
            across, up = both(width, columns, column), both(height, rows, row)
            place(whole, width, read(name, across[1], up[1]), across, up)
    save(whole, width, height, path)
    print("Saved: '" + path + "'", flush=True)


def read(path: str, across: Span, up: Span) -> array[float]:
    """Return the pixels of a tile, which has to be of the size of these spans."""
    import bpy  # type: ignore[import-not-found, unused-ignore]

    image = bpy.data.images.load(path)
    width, height = image.size
    if (width, height) != (across[1] - across[0], up[1] - up[0]):
        raise RuntimeError(path + " has another size than expected: render this tile again")
    pixels = array("f", bytes(width * height * 16))
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels


def place(
    whole: array[float],
    width: int,
    tile: array[float],
    across: tuple[Span, Span],
    up: tuple[Span, Span],
) -> None:
    """Copy a tile, without its margin, to its place; four floats are a pixel."""
    (left, right), (tile_left, tile_right) = across
    (bottom, top), (tile_bottom, _) = up
    for y in range(bottom, top):
        line = (y - tile_bottom) * (tile_right - tile_left) - tile_left
        start = (y * width + left) * 4
        whole[start : start + (right - left) * 4] = tile[(line + left) * 4 : (line + right) * 4]


def save(whole: array[float], width: int, height: int, path: str) -> None:
    """Save a picture with the scene's file format and view transform."""
    import bpy  # type: ignore[import-not-found, unused-ignore]

    image = bpy.data.images.new("merged", width, height, alpha=True, float_buffer=True)
    # What a render is: alpha is multiplied into the colors.
    image.alpha_mode = "PREMUL"
    image.pixels.foreach_set(whole)
    image.save_render(path, scene=bpy.context.scene)
