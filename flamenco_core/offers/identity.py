"""Who is asking, and what for."""

from __future__ import annotations

from typing import Literal

import attrs

__all__ = ["Action", "Identity"]


@attrs.frozen(kw_only=True)
class Identity:
    """Who is behind a request.

    ``kind`` is ``worker`` for the machines of the farm, ``person`` for people and their
    tools, ``anyone`` for a request without credentials. ``id`` is the UUID of the worker
    or account, empty for ``anyone``.
    """

    kind: Literal["worker", "person", "anyone"] = "anyone"
    id: str = ""
    name: str = ""
    is_pending: bool = False
    """A worker that an operator has not approved yet."""
    must_rotate: bool = False
    """A worker that is asked to change its secret."""
    is_near: bool = attrs.field(default=False, eq=False)
    """Somebody without credentials, but at the Manager's own machine."""


@attrs.frozen
class Action:
    """What a request wants to do: the operation's name and the id of its subject.

    ``operation`` is the operationId of the API document, such as ``setJobStatus``.
    """

    operation: str
    subject: str = ""
