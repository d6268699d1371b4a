"""The command line: ``flamenco ...``.

Nothing heavy is imported before a sub-command is chosen, so that ``--help`` and
completion answer at once.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> int:
    """Run ``flamenco`` with *args* (default: the process's own); return its exit code."""
    from flamenco_core.cli.border import run

    return run(args)
