"""What a JSON body must not have in it, whatever it says.

Looking through a body costs more than reading it. So its bytes are searched first, which is
quick: the small bodies of Workers are never looked through. And reading costs ten times the
memory of the text: what has too many keys or values is refused before it is read.
"""

from __future__ import annotations

import re
from typing import Any

import attrs

from flamenco_core.errors import BadRequest

__all__ = [
    "ANSWER",
    "DEEPEST",
    "FREE_TEXT",
    "JOB",
    "STRICT",
    "Fitness",
    "refuse_unfit",
    "refuse_unread",
    "too_deep",
]

DEEPEST = 64
"""Levels of objects and lists in one another."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# As JSON writes them; some are also parts of other things, which only costs a look.
_SIGNS_OF_CONTROL = (b"\\u00", b"\\b", b"\\f", b"\x7f", b"\xc2")
# Texts, with the colon that makes one a key, and commas. A text that never ends is one too:
# else each quote in it would be tried as its start. Possessive: nothing is tried twice.
_KEYS_AND_COMMAS = re.compile(
    rb""""[^"\\]*+(?:\\.[^"\\]*+)*+(?:"\s*+(?P<key>:)?|\\?\Z)|(?P<comma>,)""", re.DOTALL
)
_LONG_NUMBER = re.compile(rb"[0-9]{20}")
_LARGEST = 2**64


@attrs.frozen(kw_only=True)
class Fitness:
    """What one kind of body may have; NUL is never fit, nor is too deep nesting."""

    longest_text: int | None = None
    """Characters."""
    most_keys: int | None = None
    """Of all objects together."""
    most_values: int | None = None
    """In all objects and lists together."""
    deepest: int = DEEPEST
    is_plain: bool = False
    """No control characters but tabs and ends of lines; no number of more than 64 bits."""

    def refusal(self, text: str, setting: str) -> BadRequest:
        """Return the error, with the Manager's setting if it is the Manager that refuses."""
        cure = "" if self.most_keys is None else f" (limits: {setting})"
        return BadRequest(f"the body {text}{cure}")


STRICT = Fitness(longest_text=64 * 1024, most_keys=20_000, most_values=200_000, is_plain=True)
JOB = attrs.evolve(STRICT, longest_text=None)
"""Settings may hold whole scripts."""
FREE_TEXT = attrs.evolve(JOB, is_plain=False)
"""The output of programs, which has colors and carriage returns."""
ANSWER = Fitness()
"""What a Manager says, which may be as long as its farm is large."""


def refuse_unread(body: bytes, fitness: Fitness) -> None:
    """Refuse by its bytes what has too many keys or values; raises `BadRequest`."""
    most_keys, most_values = fitness.most_keys, fitness.most_values
    if most_keys is None or most_values is None:
        return
    # Each key needs four bytes at least, "":1 and each value two, 1,
    if len(body) <= min(4 * most_keys, 2 * most_values):
        return
    if body.count(b":") > most_keys or body.count(b",") >= most_values:
        _count(body, fitness, most_keys, most_values)


def _count(body: bytes, fitness: Fitness, most_keys: int, most_values: int) -> None:
    keys, texts, commas = 0, 0, 0
    for found in _KEYS_AND_COMMAS.finditer(body):
        keys += found["key"] is not None
        commas += found["comma"] is not None
        texts += found["key"] is None and found["comma"] is None
        if keys > most_keys:
            raise fitness.refusal(f"has more than {most_keys} keys", "json_keys")
        # What is no JSON may have one text after the other, and no comma.
        if max(commas + 1, texts) > most_values:
            raise fitness.refusal(f"has more than {most_values} values", "json_values")


def refuse_unfit(body: bytes, data: Any, fitness: Fitness) -> None:
    """Refuse what no database keeps and no program walks through; raises `BadRequest`."""
    if not _may_be_unfit(body, fitness):
        return
    level = [data]
    for _ in range(fitness.deepest):
        for value in level:
            _look(value, fitness)
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    raise too_deep(fitness)


def too_deep(fitness: Fitness) -> BadRequest:
    """Return the error for a body that is nested too deep."""
    return fitness.refusal(f"is nested too deep, more than {fitness.deepest} levels", "json_depth")


def _may_be_unfit(body: bytes, fitness: Fitness) -> bool:
    if body.count(b"{") + body.count(b"[") > fitness.deepest or b"\\u0000" in body:
        return True
    if fitness.longest_text is not None and len(body) > fitness.longest_text:
        return True
    if not fitness.is_plain:
        return False
    return any(sign in body for sign in _SIGNS_OF_CONTROL) or bool(_LONG_NUMBER.search(body))


def _look(value: Any, fitness: Fitness) -> None:
    if isinstance(value, str):
        _look_at_text(value, fitness)
    elif fitness.is_plain and isinstance(value, int) and not -_LARGEST < value < _LARGEST:
        # Not a setting: neither the database nor the other end keeps a larger one.
        raise BadRequest("the body has a number of more than 64 bits")


def _look_at_text(text: str, fitness: Fitness) -> None:
    if "\0" in text:
        raise BadRequest("the body has a text with a NUL character in it")
    if (most := fitness.longest_text) is not None and len(text) > most:
        raise fitness.refusal(f"has a text of more than {most} characters", "json_text_kilobytes")
    if fitness.is_plain and (found := _CONTROL.search(text)):
        raise BadRequest(f"the body has a text with the control character {found[0]!r} in it")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []
