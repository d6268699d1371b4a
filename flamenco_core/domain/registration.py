"""Who may join the farm as a Worker."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Admission"]


class Admission(StrEnum):
    """Whom the Manager lets in."""

    OPEN = "open"
    """Every machine that reaches it, as in Flamenco 3."""
    TOKEN = "token"  # noqa: S105 (the word, not one)
    """Those with a registration token or the shared secret."""
    APPROVAL = "approval"
    """Those as well; all others wait until an operator approves them."""
