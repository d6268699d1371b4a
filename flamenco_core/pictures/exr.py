"""The picture in an OpenEXR file, as a screen shows it. Needs the extra ``exr``."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import OpenEXR
from PIL import Image

from flamenco_core.pictures.exr_header import Part, find_picture, read_parts
from flamenco_core.pictures.view import as_shown

__all__ = ["decoded"]

BRIGHTEST = 65504.0
"""The largest number that a half can hold; also what infinity is taken for."""

Size = tuple[int, int]


def decoded(data: bytes, fit: Callable[[Size], Size]) -> Image.Image:
    """Return the picture in 8 bits, in the size that *fit* makes of its own.

    Colors are taken as scene-linear Rec. 709. They are stored multiplied by their alpha,
    so without it they are the picture on black. What lies outside the display window is
    cut off; where there are no pixels it is black.
    """
    parts = read_parts(data)
    number, names = find_picture(parts)
    part, size = parts[number], fit(parts[number].display.size)
    # No threads of its own: the pool of processes says how many cores are used.
    file = OpenEXR.File(io.BytesIO(data), separate_channels=True, num_threads=0)
    channels = file.channels(number)
    planes = [_shrunk(_placed(_finite(channels[name].pixels), part), size) for name in names]
    return Image.fromarray(as_shown(np.stack(planes * (3 // len(planes)), axis=-1)))


def _finite(values: Any) -> Any:
    """Return light that can be calculated with: none is negative, infinite or unknown."""
    light = np.asarray(values, dtype=np.float32)
    np.nan_to_num(light, copy=False, nan=0.0, posinf=BRIGHTEST, neginf=0.0)
    return np.clip(light, 0.0, BRIGHTEST, out=light)


def _placed(light: Any, part: Part) -> Any:
    """Return the light of the display window."""
    data, display = part.data, part.display
    if data == display:
        return light
    canvas = np.zeros(display.size[::-1], dtype=np.float32)
    left, right = max(data.left, display.left), min(data.right, display.right) + 1
    top, bottom = max(data.top, display.top), min(data.bottom, display.bottom) + 1
    if left < right and top < bottom:
        shown = light[top - data.top : bottom - data.top, left - data.left : right - data.left]
        left, top = left - display.left, top - display.top
        canvas[top : top + len(shown), left : left + len(shown[0])] = shown
    return canvas


def _shrunk(light: Any, size: Size) -> Any:
    # Means of light, as a lens would do it; other filters draw dark rings around lamps.
    return np.asarray(Image.fromarray(light).resize(size, Image.Resampling.BOX))
