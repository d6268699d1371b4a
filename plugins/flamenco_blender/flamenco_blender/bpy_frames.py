"""Frame numbers on Blender's command line: ``1,3..5,+2,-1``."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from flamenco_blender.bpy_arguments import BadValue, number

__all__ = ["SceneRange", "frames_in", "moved"]


@attrs.frozen
class SceneRange:
    """First and last frame of a scene, which ``+N`` and ``-N`` are relative to."""

    start: int
    end: int

    def frame(self, text: str, option: str) -> int:
        """Return the frame that *text* means: ``+0`` is the first, ``-1`` the last.

        Raises `BadValue` if it is no number.
        """
        if text.startswith("+"):
            return self.start + number(text[1:], option)
        if text.startswith("-"):
            return self.end + 1 - number(text[1:], option)
        return number(text, option)


def moved(frame: int, text: str, option: str) -> int:
    """Return *text* as a number, or *frame* moved by it if it has a sign."""
    return frame + number(text, option) if text[:1] in ("+", "-") else number(text, option)


def frames_in(text: str, scene: SceneRange, option: str) -> list[int]:
    """Return the frames of a list with ranges, in the order given.

    Ranges that run backwards stand for no frame. Raises `BadValue`, and nothing is
    rendered, if there is anything but numbers.
    """
    try:
        return [frame for part in text.split(",") for frame in _part(part, scene, option)]
    except BadValue:
        # Blender shows the whole list, whichever part is wrong.
        raise BadValue(f"not a number '{option} {text}'.") from None


def _part(text: str, scene: SceneRange, option: str) -> Iterator[int]:
    first, dots, last = text.partition("..")
    if not dots:
        return iter((scene.frame(first, option),))
    return iter(range(scene.frame(first, option), scene.frame(last, option) + 1))
