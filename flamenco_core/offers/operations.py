"""What an operation of the HTTP API takes and answers, said where its route stands.

The API document is made from it, and tests hold every answer against that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

__all__ = ["Operation", "Raw", "operation"]


class Raw:
    """A body that is no JSON, by its media types: ``Raw("image/png", "image/jpeg")``."""

    __slots__ = ("media_types",)

    def __init__(self, *media_types: str) -> None:
        self.media_types = media_types


@attrs.frozen(kw_only=True, eq=False)
class Operation:
    """What is known of an operation; made by `operation`."""

    name: str
    answers: Mapping[int, Any]
    takes: Any
    refuses: tuple[int, ...]
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    headers: Mapping[str, Any]


def operation(
    name: str,
    answers: Any = None,
    *,
    takes: Any = None,
    refuses: Iterable[int] = (),
    path: Mapping[str, Any] | None = None,
    query: Mapping[str, Any] | None = None,
    headers: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Declare an operation: what this returns is the ``opt`` of its route.

    ``@get("/house/{id:str}", opt=operation("seeHouse", House, refuses=[409]))``

    *answers* is the type of a 200, or None for a 204 without a body, or a mapping of
    status to either. *takes* is the type of the request's body. A type is an attrs class, a
    list or dict of such, or `Raw`. *refuses* are statuses of errors beyond those that every
    operation may have (400, 403, 500, 503; 404 with a path parameter, 413 with a body).
    *path*, *query* and *headers* give parameters a type; ``Annotated[str, "words"]`` says
    what one is for. Path parameters are texts, or ids by the ending ``_id``.
    """
    declared = Operation(
        name=name,
        answers=answers if isinstance(answers, Mapping) else {200 if answers else 204: answers},
        takes=takes,
        refuses=tuple(refuses),
        path=path or {},
        query=query or {},
        headers=headers or {},
    )
    return {"operation": name, "declared": declared}
