"""What is different between two descriptions of a job type, in words for artists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flamenco_core.wire.converter import unstructure
from flamenco_core.wire.job_types import AvailableJobSetting, AvailableJobType

__all__ = ["changes_between", "in_a_sentence"]

MOST = 10
"""Changes that one message names."""

# In the order in which they matter to somebody who fills in the settings.
_WORDS = {
    "type": "type",
    "subtype": "subtype",
    "default": "default",
    "required": "'required'",
    "choices": "choices",
    "eval": "expression",
    "propargs": "limits",
    "visible": "visibility",
    "editable": "'editable'",
    "label": "label",
    "description": "description",
    "evalInfo": "explanation",
}


def changes_between(old: AvailableJobType, new: AvailableJobType) -> list[str]:
    """Return what became of *old*, one change a line; empty if the etags are equal."""
    if old.etag == new.etag:
        return []
    return [*_of_settings(old, new), *_of_the_whole(old, new)]


def in_a_sentence(changes: list[str]) -> str:
    """Join changes, the first ones only if there are many."""
    more = len(changes) - MOST
    return "; ".join([*changes[:MOST], *([f"and {more} more changes"] if more > 0 else [])])


def _of_settings(old: AvailableJobType, new: AvailableJobType) -> Iterator[str]:
    before = {setting.key: setting for setting in old.settings}
    after = {setting.key: setting for setting in new.settings}
    yield from (f"setting {key!r} was added" for key in after if key not in before)
    yield from (f"setting {key!r} is gone" for key in before if key not in after)
    both = [key for key in after if key in before]
    for key in both:
        yield from _of_setting(before[key], after[key])
    if both != [key for key in before if key in after]:
        yield "the settings have another order"


def _of_setting(old: AvailableJobSetting, new: AvailableJobSetting) -> Iterator[str]:
    before, after = unstructure(old), unstructure(new)
    for name, words in _WORDS.items():
        was, now = before.get(name), after.get(name)
        # Compared as JSON: 1 and 1.0 are not the same to those who read it, nor 1 and true.
        if _text(was) != _text(now):
            yield f"{new.key!r} has {_other(words)} ({_short(was)} -> {_short(now)})"


def _other(words: str) -> str:
    return f"other {words}" if words in ("choices", "limits") else f"another {words}"


def _of_the_whole(old: AvailableJobType, new: AvailableJobType) -> Iterator[str]:
    for name in ("label", "description"):
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            yield f"the {name} is another one ({_short(was)} -> {_short(now)})"


def _short(value: Any) -> str:
    if value is None:
        return "none"
    text = _text(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
