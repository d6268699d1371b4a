r"""Frame ranges: the text in which people say what to render.

``1..10, 20-25, 40`` means the frames 1 to 10, 20 to 25 and 40. There are no steps and no
negative frames. Chunks are written back in the shortest form: ``1-4``, ``9,10,20,21``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["MAX_FRAMES", "frame_chunks", "frame_count", "frame_numbers"]

MAX_FRAMES = 1_000_000
"""Frames that one text may stand for by default; nobody renders eleven hours in one job."""

# What Go's TrimSpace takes away below U+0100: a no-break space comes with pasted text.
_BLANKS = " \t\n\v\f\r\x85\xa0"
# Fifteen digits: the last length at which JavaScript, too, counts exactly.
_NUMBER = re.compile(r"[0-9]{1,15}")

_Span = tuple[int, int]


def frame_numbers(text: str, most: int = MAX_FRAMES) -> list[int]:
    """Return the distinct frame numbers of a range, ascending.

    Raises ValueError for a text that is no range, stands for no frame at all, or for more
    than *most*.
    """
    return [frame for first, last in _spans(text, most) for frame in range(first, last + 1)]


def frame_count(text: str, most: int = MAX_FRAMES) -> int:
    """Return how many distinct frames a range has; errors as in `frame_numbers`."""
    return sum(last - first + 1 for first, last in _spans(text, most))


def frame_chunks(text: str, size: int, most: int = MAX_FRAMES) -> list[str]:
    """Cut a range into chunks of *size* frames, each in its shortest form.

    Errors as in `frame_numbers`, and ValueError for a size below 1.
    """
    if size < 1:
        raise ValueError(f"invalid chunk size {size}: it must be at least 1")
    frames = frame_numbers(text, most)
    return [_written(frames[at : at + size]) for at in range(0, len(frames), size)]


def _spans(text: str, most: int) -> list[_Span]:
    """Return the merged spans of a range; they neither overlap nor touch."""
    merged: list[_Span] = []
    for first, last in sorted(_parsed(text)):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    if not merged:
        raise ValueError(f"invalid range {_quoted(text)}: empty range")
    # Before anything is expanded: the text is short, the frames need not be.
    if sum(last - first + 1 for first, last in merged) > most:
        cure = "(limits: frames_per_range)"
        raise ValueError(f"invalid range {_quoted(text)}: more than {most} frames {cure}")
    return merged


def _parsed(text: str) -> Iterator[_Span]:
    trimmed = text.strip(_BLANKS)
    if not trimmed:
        raise ValueError(f"invalid range {_quoted(text)}: empty range")
    for part in trimmed.replace("..", "-").split(","):
        numbers = [number.strip(_BLANKS) for number in part.split("-")]
        if len(numbers) > 2 or not all(map(_NUMBER.fullmatch, numbers)):
            raise ValueError(
                f"invalid range {_quoted(text)}: {_quoted(part)}"
                " (expected a frame number, or two of them with a dash between)"
            )
        first, last = int(numbers[0]), int(numbers[-1])
        if first <= last:
            yield first, last


def _written(frames: list[int]) -> str:
    """Write ascending frames in the shortest form; a run of two is not worth a dash."""
    parts: list[str] = []
    start = 0
    for at in range(1, len(frames) + 1):
        if at < len(frames) and frames[at] == frames[at - 1] + 1:
            continue
        first, last = frames[start], frames[at - 1]
        parts.append(f"{first}-{last}" if at - start > 2 else ",".join(map(str, frames[start:at])))
        start = at
    return ",".join(parts)


def _quoted(text: str) -> str:
    return f'"{text}"' if len(text) <= 60 else f'"{text[:60]}…"'
