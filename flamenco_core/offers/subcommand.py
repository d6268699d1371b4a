"""A sub-command of the ``flamenco`` program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

__all__ = ["Subcommand"]


@attrs.frozen
class Subcommand:
    """``flamenco NAME``; *load* returns the click command, imported only when used."""

    name: str
    help: str
    load: Callable[[], Any]
