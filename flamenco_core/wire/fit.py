"""What a JSON body must not have in it, whatever it says.

Looking through a body costs more than reading it. So its bytes are searched first, which is
quick: the small bodies of Workers are never looked through.
"""

from __future__ import annotations

import re
from typing import Any

import attrs

from flamenco_core.errors import BadRequest

__all__ = ["ANSWER", "DEEPEST", "FREE_TEXT", "JOB", "STRICT", "Fitness", "refuse_unfit"]

DEEPEST = 64
"""Levels of objects and lists in one another."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# As JSON writes them; some are also parts of other things, which only costs a look.
_SIGNS_OF_CONTROL = (b"\\u00", b"\\b", b"\\f", b"\x7f", b"\xc2")
_LONG_NUMBER = re.compile(rb"[0-9]{20}")
_LARGEST = 2**64


@attrs.frozen(kw_only=True)
class Fitness:
    """What one kind of body may have; NUL and too deep nesting are never fit."""

    longest_text: int | None = None
    """Characters."""
    most_keys: int | None = None
    """Of all objects together."""
    is_plain: bool = False
    """No control characters but tabs and ends of lines; no number of more than 64 bits."""


STRICT = Fitness(longest_text=64 * 1024, most_keys=20_000, is_plain=True)
JOB = Fitness(most_keys=20_000, is_plain=True)
"""Settings may hold whole scripts."""
FREE_TEXT = Fitness(most_keys=20_000)
"""The output of programs, which has colors and carriage returns."""
ANSWER = Fitness()
"""What a Manager says, which may be as long as its farm is large."""


def refuse_unfit(body: bytes, data: Any, fitness: Fitness) -> None:
    """Refuse what no database keeps and no program walks through; raises `BadRequest`."""
    if not _may_be_unfit(body, fitness):
        return
    keys, level = 0, [data]
    for _ in range(DEEPEST):
        for value in level:
            _look(value, fitness)
        keys += sum(len(value) for value in level if isinstance(value, dict))
        if fitness.most_keys is not None and keys > fitness.most_keys:
            raise BadRequest(f"the body has more than {fitness.most_keys} keys")
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    raise BadRequest(f"the body is nested too deep; {DEEPEST} levels are possible")


def _may_be_unfit(body: bytes, fitness: Fitness) -> bool:
    if body.count(b"{") + body.count(b"[") > DEEPEST or b"\\u0000" in body:
        return True
    if fitness.longest_text is not None and len(body) > fitness.longest_text:
        return True
    # Each key needs four bytes at least: "":1
    if fitness.most_keys is not None and len(body) > 4 * fitness.most_keys:
        return True
    if not fitness.is_plain:
        return False
    return any(sign in body for sign in _SIGNS_OF_CONTROL) or bool(_LONG_NUMBER.search(body))


def _look(value: Any, fitness: Fitness) -> None:
    if isinstance(value, str):
        _look_at_text(value, fitness)
    elif fitness.is_plain and isinstance(value, int) and not -_LARGEST < value < _LARGEST:
        raise BadRequest("the body has a number of more than 64 bits")


def _look_at_text(text: str, fitness: Fitness) -> None:
    if "\0" in text:
        raise BadRequest("the body has a text with a NUL character in it")
    if fitness.longest_text is not None and len(text) > fitness.longest_text:
        raise BadRequest(f"the body has a text of more than {fitness.longest_text} characters")
    if fitness.is_plain and (found := _CONTROL.search(text)):
        raise BadRequest(f"the body has a text with the control character {found[0]!r} in it")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []
