"""The header of an OpenEXR file: its parts, their windows and channels.

The decoder would tell the same, but only after it has made room for all pixels that the
header claims. Here nothing is made that is larger than the header itself.

Source: "OpenEXR File Layout" (openexr.com): attributes are a name, a type, a length and
a value, texts end with a zero byte, numbers are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence

import attrs

__all__ = ["MAGIC", "Box", "BrokenExr", "Part", "find_picture", "read_parts", "size_to_decode"]

MAGIC = b"v/1\x01"
MOST_PARTS = 1000
MOST_ATTRIBUTES = 1000
LONGEST_NAME = 255

_SEVERAL_PARTS = 0x1000
_BYTES = {0: 4, 1: 2, 2: 4}
"""Of a pixel's value in each of the types: whole number, half, float."""
_MAIN = ("combined", "", "rgba", "rgb", "beauty", "composite")
"""Names of what a renderer calls its picture; others are passes. The first goes first."""


class BrokenExr(ValueError):
    """A header cannot be read; the message completes "an OpenEXR ..."."""


@attrs.frozen
class Box:
    """Pixels from ``left``, ``top`` to ``right``, ``bottom``, all of them included."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left + 1, self.bottom - self.top + 1


@attrs.frozen(kw_only=True)
class Part:
    """One image of a file: where it has pixels, what of it is shown, and its channels.

    ``channels`` has bytes per value by name, without those that skip pixels.
    """

    name: str
    data: Box
    display: Box
    deep: bool
    channels: Mapping[str, int]
    skipping: int


def read_parts(image: bytes) -> list[Part]:
    """Return all parts of a file. Raises `BrokenExr`."""
    try:
        (flags,) = struct.unpack_from("<I", image, len(MAGIC))
        reader = _Reader(image, at=8)
        if not flags & _SEVERAL_PARTS:
            return [_part(reader.attributes())]
        parts: list[Part] = []
        while attributes := reader.attributes():
            if len(parts) == MOST_PARTS:
                raise BrokenExr("with too many parts")
            parts.append(_part(attributes))
    except (struct.error, IndexError) as error:
        raise BrokenExr("with a broken header") from error
    if not parts:
        raise BrokenExr("without a part")
    return parts


def size_to_decode(parts: Sequence[Part]) -> int:
    """Return how many bytes the pixels of all channels of all parts have."""
    return sum(
        part.data.size[0] * part.data.size[1] * (sum(part.channels.values()) + part.skipping)
        for part in parts
    )


def find_picture(parts: Sequence[Part]) -> tuple[int, list[str]]:
    """Return the part with the picture itself, and its channels: three colors, or one gray.

    Renderers store it among passes such as depth. Raises `BrokenExr` if there is none.
    """
    found = [
        (_rank(layer, part), len(names) == 1, number, names)
        for number, part in enumerate(parts)
        if not part.deep
        for layer, names in _layers(part)
    ]
    if not found:
        raise BrokenExr("without colors")
    # Of two view layers the first is taken, and color goes before gray.
    best = min(found, key=lambda one: one[:3])
    return best[2], best[3]


def _rank(layer: str, part: Part) -> int:
    # Blender writes "View Layer.Combined" as a part's name or before the color's.
    name = (layer or part.name).rpartition(".")[2].lower()
    return _MAIN.index(name) if name in _MAIN else len(_MAIN)


def _layers(part: Part) -> Iterator[tuple[str, list[str]]]:
    for name in part.channels:
        layer, dot, last = name.rpartition(".")
        if last == "R":
            colors = [f"{layer}{dot}{color}" for color in "RGB"]
            if all(color in part.channels for color in colors):
                yield layer, colors
        elif last in {"Y", "V"} and f"{layer}{dot}X" not in part.channels:
            # Black and white, which Blender calls V; beside an X it is a direction.
            yield layer, [name]


def _part(attributes: dict[str, tuple[str, bytes]]) -> Part:
    channels, skipping = _channels(attributes.get("channels", ("", b""))[1])
    return Part(
        name=attributes.get("name", ("", b""))[1].decode("utf-8", "replace"),
        data=_box(attributes, "dataWindow"),
        display=_box(attributes, "displayWindow"),
        deep=attributes.get("type", ("", b""))[1].startswith(b"deep"),
        channels=channels,
        skipping=skipping,
    )


def _box(attributes: dict[str, tuple[str, bytes]], name: str) -> Box:
    box = Box(*struct.unpack_from("<4i", attributes.get(name, ("", b""))[1]))
    if min(box.size) < 1:
        raise BrokenExr(f"whose {name} is empty")
    return box


def _channels(value: bytes) -> tuple[dict[str, int], int]:
    """Return bytes per value by channel, and the bytes of those that skip pixels."""
    reader, channels, skipping = _Reader(value), {}, 0
    while name := reader.text():
        kind, *sampling = struct.unpack("<i4x2i", reader.take(16))
        if kind not in _BYTES:
            raise BrokenExr(f"whose channel {name!r} is of an unknown type")
        if sampling == [1, 1]:
            channels[name] = _BYTES[kind]
        else:
            skipping += _BYTES[kind]
    return channels, skipping


class _Reader:
    """Takes one thing after the other; what is not there is an `IndexError`."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._at = at

    def attributes(self) -> dict[str, tuple[str, bytes]]:
        """Take one header: types and values by name."""
        found: dict[str, tuple[str, bytes]] = {}
        while name := self.text():
            if len(found) == MOST_ATTRIBUTES:
                raise BrokenExr("with too many attributes")
            kind = self.text()
            (length,) = struct.unpack("<i", self.take(4))
            found[name] = (kind, self.take(length))
        return found

    def text(self) -> str:
        end = self._data.find(b"\0", self._at, self._at + LONGEST_NAME + 1)
        if end < 0:
            raise IndexError(self._at)
        return self.take(end - self._at + 1)[:-1].decode("utf-8", "replace")

    def take(self, count: int) -> bytes:
        if not 0 <= count <= len(self._data) - self._at:
            raise IndexError(self._at)
        self._at += count
        return self._data[self._at - count : self._at]
