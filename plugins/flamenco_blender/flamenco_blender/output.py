"""Read what Blender prints, in all its generations.

==============  ==================================================================
up to 4.5       ``Fra:12 Mem:...``, ``Saved: '...'``, ``Time: 00:00.50 (Saving: ...)``
5.0 and later   the same texts behind ``00:00.945  render           | ``
==============  ==================================================================

Blender 3.x writes a blank before ``Time:``. Every frame that is rendered ends with one
``Time:`` line, however many files it was saved to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import attrs

__all__ = ["FileSaved", "FrameDone", "FrameStarted", "Sign", "Trouble", "error_in", "read_line"]


@attrs.frozen
class FrameStarted:
    """Blender is at work on frame ``number``; said many times for each."""

    number: int


@attrs.frozen
class FrameDone:
    """A frame is finished, or was there already."""


@attrs.frozen
class FileSaved:
    """An image file was written."""

    path: str


@attrs.frozen
class Trouble:
    """A line that says that this run is no success, whatever the exit code says.

    ``when`` is ``always``, or ``unless-rendered`` for signs that are harmless if frames
    come out after all. ``stop`` means that all further rendering is in vain.
    """

    text: str
    when: Literal["always", "unless-rendered", "stop"] = "unless-rendered"


Sign = FrameStarted | FrameDone | FileSaved | Trouble

_PREFIX = r"(?:[\d:.]+\s+\S+\s+\|)?\s*"
_Reader = Callable[[re.Match[str]], Sign]


def _trouble(text: str, when: Literal["always", "unless-rendered", "stop"]) -> _Reader:
    return lambda found: Trouble(text.format(*found.groups()), when)


_UNLESS: Literal["unless-rendered"] = "unless-rendered"

_TABLE: tuple[tuple[re.Pattern[str], _Reader], ...] = tuple(
    (re.compile(pattern), reader)
    for pattern, reader in (
        (_PREFIX + r"Fra:\s*(-?\d+)", lambda found: FrameStarted(int(found[1]))),
        # Not at the line start: what is before it differs between versions and add-ons.
        (r".*?\bSaved: '(.+)'\s*$", lambda found: FileSaved(found[1])),
        (_PREFIX + r"Time: [\d:.]+(?:\s|$)", lambda _: FrameDone()),
        (_PREFIX + r"[Ss]kipping existing frame\b", lambda _: FrameDone()),
        # It goes on with another scene, and ends with exit code 0.
        (
            _PREFIX + r"(?:Error: )?Can't find scene: ['\"](.*?)['\"]",
            _trouble("there is no scene {0!r} in the file", "stop"),
        ),
        (
            _PREFIX + r"(?:Error:? )?Render error \((.*)\) cannot save: ['\"](.*)['\"]",
            _trouble("cannot save {1}: {0}", "always"),
        ),
        (
            _PREFIX + r"(?:Error:? )?(?:Cannot render, no camera|No camera found in scene)",
            _trouble("the scene has no camera", _UNLESS),
        ),
        (
            _PREFIX + r"(?:Error:? )?Cannot (?:read|open) file (.*)",
            _trouble("cannot open {0}", _UNLESS),
        ),
        (
            _PREFIX + r"(?:Error:? )?File format is not supported in file (.*)",
            _trouble("not a blend file, or from a newer Blender: {0}", _UNLESS),
        ),
        (
            _PREFIX + r"(?:Error:? )?engine not found '(.*)'",
            _trouble("there is no render engine {0!r}", "always"),
        ),
        (
            _PREFIX + r"Error: (not a number '-f / --render-frame .*|frame number must follow.*)",
            _trouble("{0}", _UNLESS),
        ),
    )
)

_ERROR = re.compile(
    _PREFIX + r"(?:Error: |ERROR )\s*(?:Error: )?(?!script failed|Python: Traceback)(.+)"
)
# The last line of a traceback; "script failed" repeats the script, and not the reason.
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception)(?:: .*)?$")


def read_line(line: str) -> Sign | None:
    """Return what a line of Blender's output means, or `None`."""
    for pattern, reader in _TABLE:
        if found := pattern.match(line):
            return reader(found)
    return None


def error_in(line: str) -> str | None:
    """Return the text of a line in which Blender reports any error.

    It explains an exit code; by itself it proves nothing.
    """
    if _EXCEPTION.match(line):
        return line.strip()
    found = _ERROR.match(line)
    return found[1].strip() if found else None
