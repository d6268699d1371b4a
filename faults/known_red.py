"""Rows that are known not to be as they should, each with the reason.

A run stays green with them, and fails as soon as one of them holds: then it is to be
taken out of this table.
"""

from __future__ import annotations

__all__ = ["EXPECTED_RED"]

EXPECTED_RED: dict[str, str] = {
    "F24b": "about 1.2 MB/min in 90 s with a check of the file every 10 s, the cause of the rest"
    " is not known; 0.3 MB/min in 5 minutes of a soak with the settings as they are",
}
