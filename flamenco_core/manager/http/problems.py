"""Errors as HTTP answers; the only place that knows both.

Every error has the body ``{"code": ..., "message": ...}``: Flamenco's add-on fails to read
one without ``code``. Workers take 409 for "not yours any more"; anything else that is not a
success makes Flamenco's own throw an update away, so 5xx is the last resort.
"""

from __future__ import annotations

import hashlib
import logging
import traceback
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from flamenco_core import errors
from flamenco_core.wire.converter import encode
from flamenco_core.wire.meta import Error

__all__ = ["HANDLERS"]

log = logging.getLogger(__name__)

_STATUS: dict[type[Exception], int] = {
    errors.BadRequest: 400,
    errors.TooLarge: 413,
    errors.NotFound: 404,
    errors.UnknownTag: 406,
    errors.NothingFits: 416,
    errors.Forbidden: 403,
    errors.Conflict: 409,
    errors.NotAllowed: 422,
    errors.OutdatedJobType: 412,
    errors.JobTypeError: 400,
    errors.TooMany: 429,
    errors.Busy: 503,
    errors.DatabaseError: 503,
    errors.StorageFull: 507,
}


def _answer(status: int, text: str, headers: dict[str, str] | None = None) -> Response[bytes]:
    body = encode(Error(status, text))
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def _deliberate(_: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    kinds = (kind for kind in type(error).__mro__ if kind in _STATUS)
    status = _STATUS[next(kinds)]
    text = str(error)
    if status == 403:
        # Flamenco's handbook tells people to look for these words.
        text = f"security requirements failed: {text}"
    later = {"Retry-After": str(getattr(error, "after", 1))}
    return _answer(status, text, later if status in {429, 503, 507} else None)


def _http(_: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    headers = dict(error.headers or {})
    return _answer(error.status_code, str(error.detail), headers)


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    # The border to everything unforeseen: details are for the log, not for strangers.
    fault = _fault(error)
    what = request.method, request.url.path, fault
    log.error("%s %s failed, fault %s", *what, exc_info=error)
    return _answer(500, f"the Manager has an internal error; its log says more at fault {fault}")


def _fault(error: Exception) -> str:
    """Return a short name for an error, by its kind and place.

    It is the same each time: the log, which has one of a kind each minute, can be searched.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{type(error).__qualname__} {frames[-1].name} {frames[-1].lineno}" if frames else ""
    return hashlib.sha256(place.encode()).hexdigest()[:8]


HANDLERS: dict[int | type[Exception], Any] = {
    errors.FlamencoError: _unexpected,
    Exception: _unexpected,
    HTTPException: _http,
    **dict.fromkeys(_STATUS, _deliberate),
}
