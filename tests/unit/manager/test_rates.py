from __future__ import annotations

import pytest

from flamenco_core.errors import TooMany
from flamenco_core.manager import rates
from flamenco_core.manager.limits import Limits
from flamenco_core.manager.peers import Peers
from flamenco_core.manager.rates import PerMinute, Rates
from flamenco_core.offers.identity import Identity

LIMITS = Limits(registrations_per_minute=2, requests_per_minute=3, worker_requests_per_minute=4)
ANYONE = Identity()
WORKER, PERSON = Identity(kind="worker", id="w"), Identity(kind="person", id="p")


async def test_so_many_in_a_minute_then_in_the_next_one(clock) -> None:
    rate = PerMinute(2, clock, "requests")
    rate.take("a")
    await clock.advance(20)
    rate.take("a")
    with pytest.raises(TooMany, match="more than 2 requests in a minute") as found:
        rate.take("a")
    assert found.value.after == 40
    rate.take("b")
    await clock.advance(40)
    rate.take("a")
    assert rate.refused == 1


def test_strangers_cannot_make_it_grow(clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MANY", 10)
    rate = PerMinute(2, clock, "requests")
    for number in range(1000):
        rate.take(f"address {number}")
        assert len(rate._counts) <= 10


def test_zero_is_no_limit(clock) -> None:
    rate = PerMinute(0, clock, "requests")
    for _ in range(1000):
        rate.take("a")


@pytest.mark.parametrize(
    ("identity", "address", "operation", "allowed"),
    [
        (ANYONE, "10.0.0.9", "registerWorker", 2),
        (ANYONE, "10.0.0.9", "fetchJobs", 3),
        (ANYONE, "127.0.0.1", "registerWorker", 50),
        (ANYONE, "10.0.0.1", "fetchJobs", 50),
        (WORKER, "10.0.0.9", "scheduleTask", 4),
        (WORKER, "127.0.0.1", "scheduleTask", 4),
        (PERSON, "10.0.0.9", "fetchJobs", 50),
    ],
)
def test_who_may_how_often(clock, identity, address: str, operation: str, allowed: int) -> None:
    rates = Rates(LIMITS, Peers(["10.0.0.1"]), clock)
    for _ in range(min(allowed, 50)):
        rates.take(identity, address, operation)
    if allowed < 50:
        with pytest.raises(TooMany, match="limits: "):  # it names the setting
            rates.take(identity, address, operation)
        assert rates.refused == 1


def test_one_workers_haste_is_not_anothers(clock) -> None:
    rates = Rates(LIMITS, Peers([]), clock)
    for _ in range(4):
        rates.take(WORKER, "10.0.0.9", "scheduleTask")
    rates.take(Identity(kind="worker", id="other"), "10.0.0.9", "scheduleTask")


async def test_other_limits_count_from_now_on(clock) -> None:
    rates = Rates(LIMITS, Peers([]), clock)
    for _ in range(3):
        rates.take(ANYONE, "10.0.0.9", "fetchJobs")
    rates.follow(Limits(requests_per_minute=5))
    for _ in range(2):
        rates.take(ANYONE, "10.0.0.9", "fetchJobs")
    with pytest.raises(TooMany, match="more than 5"):
        rates.take(ANYONE, "10.0.0.9", "fetchJobs")
    rates.follow(Limits(requests_per_minute=0))
    for _ in range(50):
        rates.take(ANYONE, "10.0.0.9", "fetchJobs")
