"""What SSDP's packets say: the questions that a Manager hears, its answers and news."""

from __future__ import annotations

import re
from email.utils import formatdate
from typing import Literal
from urllib.parse import quote

import attrs

from flamenco_core.builtin.announcement import Announcement
from flamenco_core.builtin.ssdp_search import DEVICE, SERVICE
from flamenco_core.platform import go_os

__all__ = ["DESCRIPTION", "MAX_AGE", "Question", "write_answer", "write_news"]

DESCRIPTION = "upnp/description.xml"
"""Where, below the Manager's URL, UPnP's description of it is."""
MAX_AGE = 3600
"""Seconds for which an announcement counts."""
LONGEST = 2048
"""Bytes; a question has some 120."""

_USN = f"uuid:{DEVICE}::{SERVICE}"
# What people look for: everything, Managers, or this kind of device by its number.
_OUR_TARGETS = {
    "ssdp:all": SERVICE,
    SERVICE: SERVICE,
    DEVICE: DEVICE,
    f"uuid:{DEVICE}": f"uuid:{DEVICE}",
}
_FIRST_LINE = re.compile(r"M-SEARCH \* HTTP/1\.[01]")
_WAIT = re.compile(r"[1-9]\d{0,2}", re.ASCII)


@attrs.frozen
class Question:
    """Somebody searches; *target* is what an answer says it is, *patience* in seconds."""

    target: str
    patience: int

    @classmethod
    def read(cls, packet: bytes) -> Question | None:
        """Read a packet; None if it is anything but a question for Managers."""
        if len(packet) > LONGEST:
            return None
        first, *rest = packet.decode("latin-1").split("\r\n")
        headers = _headers(rest)
        target, wait = _OUR_TARGETS.get(headers.get("st", "")), headers.get("mx", "")
        is_search = headers.get("man", "").strip('"') == "ssdp:discover"
        if not (is_search and target and _FIRST_LINE.fullmatch(first) and _WAIT.fullmatch(wait)):
            return None
        return cls(target, int(wait))


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def write_answer(question: Question, here: Announcement, url: str, now: int) -> bytes:
    """Say that there is a Manager at *url*; *now* is in microseconds since 1970."""
    return _packet(
        "HTTP/1.1 200 OK",
        **_how_long(),
        DATE=formatdate(now / 1_000_000, usegmt=True),
        EXT="",
        LOCATION=url + DESCRIPTION,
        ST=question.target,
        USN=_USN,
        **_who(here),
    )


def write_news(
    kind: Literal["alive", "byebye"], here: Announcement, url: str, group: tuple[str, int]
) -> bytes:
    """Tell all who listen that the Manager at *url* is there, or goes away."""
    alive = {**_how_long(), "LOCATION": url + DESCRIPTION, **_who(here)}
    return _packet(
        "NOTIFY * HTTP/1.1",
        HOST=f"{group[0]}:{group[1]}",
        NT=SERVICE,
        NTS=f"ssdp:{kind}",
        USN=_USN,
        **(alive if kind == "alive" else {}),
    )


def _how_long() -> dict[str, str]:
    return {"CACHE-CONTROL": f"max-age={MAX_AGE}"}


def _who(here: Announcement) -> dict[str, str]:
    # All Managers in the world have one device number: people tell them apart by name.
    # It is a person's text, so it is quoted: a line break would begin a header of its own.
    return {
        "SERVER": f"{go_os()} UPnP/1.0 Flamenco/{here.version}",
        "X-FLAMENCO-NAME": quote(here.name)[:200],
    }


def _packet(first: str, **headers: str) -> bytes:
    lines = [first, *(f"{name}: {value}".rstrip() for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
