"""How a message gets through NOTIFY, whose payload is a text of less than 8,000 bytes.

A message is compressed and, if it is still too long, cut into frames. All frames of a
message are sent in one transaction, so they arrive together and in order, or not at all.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from enum import Enum

import attrs

__all__ = ["Kind", "Message", "Reader", "frames_of"]

ROOM = 7_800
"""Characters of a frame's content; what stands before it takes at most 100."""


class Kind(Enum):
    """What a message is."""

    HELLO = "hello"
    WELCOME = "welcome"
    NEWS = "news"
    GAPS = "gaps"
    BYE = "bye"


@attrs.frozen(kw_only=True)
class Message:
    """Something that the Manager with this number says; to one of them, or to all (0)."""

    sender: int
    kind: Kind
    content: bytes = b""
    to: int = 0


def frames_of(message: Message, serial: int) -> Iterator[str]:
    """Yield the frames of a message; *serial* is another one for each message."""
    text = b64encode(zlib.compress(message.content, 1)).decode()
    parts = [text[at : at + ROOM] for at in range(0, len(text), ROOM)]
    head = f"{message.sender}|{message.kind.value}|{message.to}|{serial}"
    for number, part in enumerate(parts, 1):
        yield f"{head}|{len(parts) - number}|{part}"


class Reader:
    """Puts frames together to messages again."""

    def __init__(self) -> None:
        self._begun: dict[str, list[str]] = {}

    def read(self, frame: str) -> Message | None:
        """Return a message that is complete now; `None` for one that is not, or is none."""
        fields = frame.split("|")
        if len(fields) != 6:
            return None
        sender, kind, to, serial, left, part = fields
        key = f"{sender}|{serial}"
        parts = [*self._begun.pop(key, ()), part]
        if left != "0":
            # Whoever was cut off will not go on with what it had begun.
            self._begun = {k: v for k, v in self._begun.items() if k.split("|")[0] != sender}
            self._begun[key] = parts
            return None
        try:
            content = zlib.decompress(b64decode("".join(parts), validate=True))
            return Message(sender=int(sender), kind=Kind(kind), content=content, to=int(to))
        # Another program, or another version of this one, uses the channel as well.
        except (ValueError, zlib.error):
            return None
