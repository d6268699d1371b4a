"""What the Manager and the Worker write about themselves."""

from __future__ import annotations

import logging
import sys

__all__ = ["LEVELS", "start_logging"]

LEVELS = ("debug", "info", "warning", "error")


def start_logging(level: str) -> None:
    """Write log lines of *level* and above to the error output."""
    logging.basicConfig(
        stream=sys.stderr,
        level=level.upper(),
        format="%(asctime)s %(levelname)-7s %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S",
    )
    # What libraries say of every step they take is of use to nobody here.
    for noisy in ("httpx", "httpcore", "asyncio", "alembic", "uvicorn"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))
