"""What the status code of an answer means to a Worker that has something to deliver."""

from __future__ import annotations

from flamenco_core.errors import (
    BadRequest,
    Busy,
    Conflict,
    FlamencoError,
    Forbidden,
    NotFound,
    Refused,
)

__all__ = ["FINAL", "error_for", "is_final"]

FINAL: dict[int, type[Refused]] = {
    400: BadRequest,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    # The request itself will never be taken; to keep it would hold up all behind it.
    405: Refused,
    411: Refused,
    413: Refused,
    414: Refused,
    415: Refused,
    422: Refused,
    431: Refused,
}
"""Answers that settle the matter: sending the same again cannot end otherwise.

Every other one that is not 2xx leaves it open, 408, 425, 429 and 5xx above all, and so
do redirects and proxies that ask for a password: they did not come from the Manager.
"""


def is_final(status: int) -> bool:
    """Say whether an answer settles the matter, one way or the other."""
    return 200 <= status < 300 or status in FINAL


def error_for(status: int, what: str, message: str) -> FlamencoError:
    """Return the error for an answer that is no success: `Refused` if final, else `Busy`."""
    text = f"{what}: the Manager answered {status}" + (f": {message}" if message else "")
    return FINAL.get(status, Busy)(text)
