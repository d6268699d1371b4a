"""Keep one thing that happens over and over from filling the log."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from flamenco_core.clock import Clock, SystemClock

__all__ = ["PAUSE", "Quiet", "quietly"]

PAUSE = 60.0
"""Seconds in which a message is written once."""
MANY = 1000
"""More different messages than this are not told apart any more."""


class Quiet(logging.Filter):
    """Lets each message through once a minute, then with how often it was held back.

    Messages are the same if their text before the values are put in is, and their error.
    """

    def __init__(self, clock: Clock | None = None, pause: float = PAUSE) -> None:
        super().__init__()
        self._clock = clock or SystemClock()
        self._pause = pause
        self._said: dict[object, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether to write a message; add to it what was held back since the last one."""
        key = (record.name, record.levelno, record.msg, _place(record))
        until, held = self._said.get(key, (0.0, 0))
        now = self._clock.monotonic()
        if now < until:
            self._said[key] = (until, held + 1)
            return False
        if len(self._said) >= MANY:
            self._said.clear()
        self._said[key] = (now + self._pause, 0)
        if held:
            record.msg = f"{record.getMessage()} (and {held} more like it)"
            record.args = None
        return True


def _place(record: logging.LogRecord) -> object:
    """Return the kind of a record's error, and the line that raised it."""
    if not record.exc_info or record.exc_info[1] is None:
        return None
    traceback = record.exc_info[2]
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    line = traceback and (traceback.tb_frame.f_code.co_filename, traceback.tb_lineno)
    return record.exc_info[0], line


@contextlib.contextmanager
def quietly(*loggers: str) -> Iterator[None]:
    """Hold back repetitions in these logs while inside."""
    quiet = Quiet()
    for name in loggers:
        logging.getLogger(name).addFilter(quiet)
    try:
        yield
    finally:
        for name in loggers:
            logging.getLogger(name).removeFilter(quiet)
