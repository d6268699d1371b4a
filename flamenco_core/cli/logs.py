"""What the Manager and the Worker write about themselves."""

from __future__ import annotations

import logging
import sys

from flamenco_core.tokens import hidden

__all__ = ["LEVELS", "start_logging"]

LEVELS = ("debug", "info", "warning", "error")
_FORMAT = "%(asctime)s %(levelname)-7s %(message)s"


class _Discreet(logging.Formatter):
    """Leaves the secrets of tokens out, wherever in a line or a traceback they stand."""

    def format(self, record: logging.LogRecord) -> str:
        return hidden(super().format(record))


def start_logging(level: str) -> None:
    """Write log lines of *level* and above to the error output."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Discreet(_FORMAT, "%Y-%m-%d %H:%M:%S"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    # What libraries say of every step they take is of use to nobody here.
    for noisy in ("httpx", "httpcore", "asyncio", "alembic", "uvicorn"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))
