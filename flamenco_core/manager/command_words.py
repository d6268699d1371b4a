"""The commands that a worker was given, as the log of the task has them.

Nothing is written when a task is given out, which has to be quick: it is worked out for
whoever reads the log. When variables have changed since, that is said.
"""

from __future__ import annotations

import json
import re
from typing import Any

from flamenco_core.config.secrets import MASK, is_secret, masked
from flamenco_core.domain.variables import VariableTable

__all__ = ["CommandWords"]

LONGEST = 2_000
"""Characters of one command: a job can have whole scripts in it."""
_FLAG = re.compile(r"-{1,2}[\w-]+")


class CommandWords:
    """Tells commands with *variables*, which are as they are since a moment (microseconds)."""

    def __init__(self, variables: VariableTable, since: int) -> None:
        self._variables = variables
        self._since = since

    def lines(self, commands: str, platform: str, given: int) -> list[str]:
        """Return a line for each of the *commands* (JSON) that were *given* at a moment."""
        found = self._variables.expand(json.loads(commands), "workers", platform)
        then = "" if given >= self._since else " (with the variables as they are now)"
        return [f"    {_in_words(command)}{then}" for command in found]


def _in_words(command: dict[str, Any]) -> str:
    parameters = _without_secrets(command.get("parameters") or {})
    text = f"{command.get('name', '')} {json.dumps(parameters, ensure_ascii=False)}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _without_secrets(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _without_secrets(item, name) for name, item in value.items()}
    if isinstance(value, list) and not is_secret(key):
        return [_argument(item, before) for item, before in zip(value, ["", *value], strict=False)]
    return masked(value, key)


def _argument(item: Any, before: Any) -> Any:
    """Hide what comes after ``--token``, in the same argument or in the next one."""
    if not isinstance(item, str):
        return _without_secrets(item)
    flag, equals, _ = item.partition("=")
    if equals and _FLAG.fullmatch(flag) and is_secret(flag):
        return f"{flag}={MASK}"
    if isinstance(before, str) and _FLAG.fullmatch(before) and is_secret(before):
        return MASK
    return masked(item)
