"""A change as people read it, in one line."""

from __future__ import annotations

import json
from typing import Any

from flamenco_core.cli.provision.plan import Change

__all__ = ["in_words"]

_MASK = "(not shown)"


def in_words(change: Change) -> str:
    """Return ``~ setting task_timeout: 10m0s -> 5m0s``, and the like."""
    part = f" {change.part}" if change.part else ""
    hint = f"  ({change.hint})" if change.hint else ""
    return f"{change.sign} {change.kind} {change.name}{part}{_values(change)}{hint}"


def _values(change: Change) -> str:
    before, after = _text(change.before), _text(change.after)
    if change.sign == "-":
        return ""
    if change.sign == "+":
        return f": {after}" if after else ""
    return (
        f": {_MASK}" if before == after else f": {before or '(not set)'} -> {after or '(not set)'}"
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and set(value) <= {"values", "is_twoway"}:
        return _variable(value)
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _variable(value: dict[str, Any]) -> str:
    parts = [
        f"{_whom(one)}={one.get('value', '')}" if _whom(one) else str(one.get("value", ""))
        for one in value.get("values", ())
    ]
    return f"{'two-way ' if value.get('is_twoway') else ''}{' | '.join(parts)}".strip()


def _whom(one: dict[str, Any]) -> str:
    return "/".join(
        word
        for word in (one.get("platform", ""), one.get("audience", ""))
        if word not in ("", "all")
    )
