"""Errors as HTTP answers; the only place that knows both.

Every error has the body ``{"code": ..., "message": ...}``: Flamenco's add-on fails to read
one without ``code``. Workers take 409 for "not yours any more"; anything else that is not a
success makes Flamenco's own throw an update away, so 5xx is the last resort.
"""

from __future__ import annotations

import logging
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
    errors.NotFound: 404,
    errors.UnknownTag: 406,
    errors.NothingFits: 416,
    errors.Forbidden: 403,
    errors.Conflict: 409,
    errors.NotAllowed: 422,
    errors.OutdatedJobType: 412,
    errors.JobTypeError: 400,
    errors.Busy: 503,
    errors.DatabaseError: 503,
    errors.StorageFull: 507,
}
_RETRY = {"Retry-After": "1"}


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
    return _answer(status, text, _RETRY if status in {503, 507} else None)


def _http(_: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    headers = dict(error.headers or {})
    return _answer(error.status_code, str(error.detail), headers)


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    # The border to everything unforeseen: details are for the log, not for strangers.
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _answer(500, "the Manager has an internal error; its log says more")


HANDLERS: dict[int | type[Exception], Any] = {
    errors.FlamencoError: _unexpected,
    Exception: _unexpected,
    HTTPException: _http,
    **dict.fromkeys(_STATUS, _deliberate),
}
