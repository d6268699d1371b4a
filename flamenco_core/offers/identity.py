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


@attrs.frozen
class Action:
    """What a request wants to do: the operation's name and the id of its subject.

    ``operation`` is the operationId of the API document, such as ``setJobStatus``.
    """

    operation: str
    subject: str = ""
