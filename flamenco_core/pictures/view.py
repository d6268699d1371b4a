"""From the light of a scene to what a screen shows: about what Blender's AgX does.

It is not AgX itself, which is a table of colors of a megabyte. It is a model of what that
does, fitted to it for this purpose: 65,536 colors of all hues, from 12 stops below middle
gray to 9 above, were saved by Blender 5.0 with the view "AgX" and no look. Where a screen
shows more than black or white, this differs from it by 0.6 of 256 levels in the mean and
by less than 6 for 99 of 100 colors; pure and bright ones differ most, by 18.

The exposure is 0. A scene with another view or exposure looks different in Blender.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_shown"]

GRAY = 0.18
"""Middle gray, in light."""
ROWS = 64
"""Rows that are calculated at a time: they fit into a processor's cache."""

# Each color gets some of the others, so that a bright one turns white and not flat.
_MIX = np.array(
    [[0.689, 0.225, 0.086], [0.094, 0.811, 0.095], [0.082, 0.165, 0.753]], dtype=np.float32
)
# And gives back most of that after the curve.
_PART = np.array(
    [[1.429, -0.253, -0.176], [-0.113, 1.099, 0.014], [-0.147, -0.229, 1.376]], dtype=np.float32
)
_GAMMA = 2.11
"""The power that makes light of what a screen is sent, for `_PART`."""
_STOPS = np.arange(-10, 8)
"""Light in stops above middle gray, for `_CURVE`."""
# fmt: off
_CURVE = np.array([
    0.0, 0.0, 0.001, 0.005, 0.015, 0.039, 0.079, 0.134, 0.21,
    0.317, 0.461, 0.608, 0.726, 0.818, 0.888, 0.941, 0.986, 1.0,
])
"""What a screen is sent for gray, from black to white."""
# fmt: on


def as_shown(light: Any) -> Any:
    """Return 8-bit colors for light (height, width, 3), which is finite and not negative."""
    shown = np.empty(light.shape, dtype=np.uint8)
    for row in range(0, len(light), ROWS):
        shown[row : row + ROWS] = _band(light[row : row + ROWS])
    return shown


def _band(light: Any) -> Any:
    stops = np.log2(np.maximum(light @ _MIX.T, 1e-10) / GRAY)
    curved = np.interp(stops, _STOPS, _CURVE) ** _GAMMA
    parted = np.clip(curved @ _PART.T, 0.0, 1.0)
    return np.round(parted ** (1 / _GAMMA) * 255)
