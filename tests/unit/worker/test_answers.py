from __future__ import annotations

import pytest

from flamenco_core.errors import Busy, Conflict, Forbidden, NotFound, Refused
from flamenco_core.worker.answers import error_for, is_final


@pytest.mark.parametrize(
    "status", [200, 202, 204, 400, 401, 403, 404, 405, 409, 410, 411, 413, 414, 415, 422, 431]
)
def test_these_answers_settle_the_matter(status: int) -> None:
    assert is_final(status)


@pytest.mark.parametrize(
    "status", [301, 302, 307, 308, 402, 407, 408, 421, 425, 429, 500, 501, 502, 503, 504, 507, 599]
)
def test_after_these_answers_the_same_is_sent_again(status: int) -> None:
    assert not is_final(status)
    assert isinstance(error_for(status, "it", ""), Busy)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Refused), (401, Forbidden), (403, Forbidden), (404, NotFound), (409, Conflict)],
)
def test_a_refusal_says_what_it_is(status: int, kind: type[Exception]) -> None:
    error = error_for(status, "worker/task/1", "no longer yours")
    assert isinstance(error, kind)
    assert str(error) == f"worker/task/1: the Manager answered {status}: no longer yours"
