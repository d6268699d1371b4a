"""What Schemathesis is told in Python; see ``fuzz.py``."""

from __future__ import annotations

import re
from typing import Any

import schemathesis

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@schemathesis.hook
def map_body(_: Any, body: Any) -> Any:
    """Put something else for what no schema says is refused everywhere.

    Control characters and numbers of more than 64 bits: what is not said in a schema may
    stand anywhere. tests/contract/wire/test_hostile.py sends them.
    """
    return usual(body)


def usual(value: Any) -> Any:
    if isinstance(value, str):
        return CONTROL.sub("x", value)
    if isinstance(value, dict):
        return {usual(key): usual(item) for key, item in value.items()}
    if isinstance(value, list):
        return [usual(item) for item in value]
    too_large = isinstance(value, int) and not -(2**63) <= value < 2**63
    return 0 if too_large else value
