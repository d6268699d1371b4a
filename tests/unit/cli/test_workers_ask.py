"""Ask workers to be something else, on the command line."""

from __future__ import annotations

from typing import Any

import pytest

ALFA = "aaaaaaaa-cccc-4ccc-8ccc-cccccccccccc"
PATH = f"/worker-mgt/workers/{ALFA}"


def a_request(**rest: Any) -> dict[str, Any]:
    known = {"id": "7", "status": "asleep", "is_lazy": False, "asked_at": "2026-04-01T10:00:00Z"}
    return known | rest


def confirmed(**rest: Any) -> dict[str, Any]:
    ended = {"outcome": "confirmed", "ended_at": "2026-04-01T10:00:03.500000Z"}
    return a_request(**ended | rest)


@pytest.fixture
def answers(farm: Any) -> list[list[dict[str, Any]]]:
    """What the Manager lists, one after the other; the last one for ever."""
    alfa = {"id": ALFA, "name": "Alfa", "status": "awake", "version": "1", "can_restart": True}
    farm.workers = [alfa]
    found: list[list[dict[str, Any]]] = []
    farm.more[f"POST {PATH}/setstatus"] = lambda: None
    farm.more[f"GET {PATH}/status-requests"] = lambda: {
        "requests": found.pop(0) if len(found) > 1 else found[0]
    }
    return found


def test_a_worker_is_asked_and_waited_for(flamenco: Any, farm: Any, answers: Any) -> None:
    answers += [[a_request()], [a_request()], [confirmed(asked_by="artist")]]
    outcome = flamenco("workers", "ask", "alfa", "asleep", "--when-idle", "--wait")
    assert outcome.code == 0
    assert dict(farm.told)[f"POST {PATH}/setstatus"] == {"status": "asleep", "is_lazy": True}
    columns, row = outcome.out.splitlines()
    assert columns.split() == ["ASKED", "FOR", "BY", "AT", "RESULT", "AFTER"]
    assert row.split()[:2] == ["asleep", "artist"]
    assert row.endswith("confirmed  3.5 s")


def test_without_a_status_it_is_only_shown(flamenco: Any, farm: Any, answers: Any) -> None:
    answers += [[]]
    assert flamenco("workers", "ask", "alfa").err == "Alfa was asked for nothing\n"
    assert not any(what.startswith("POST") for what, _ in farm.told)
    answers[0] = [a_request(is_lazy=True)]
    assert "asleep when idle" in flamenco("workers", "ask", "alfa").out
    assert flamenco("workers", "ask", "alfa", "--json").json[0]["id"] == "7"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([a_request()], "Alfa has not confirmed it within 0.05 seconds; it is still asked"),
        ([confirmed(outcome="replaced")], "not asked of Alfa any more: it was replaced"),
    ],
)
def test_what_is_not_confirmed_is_a_failure(
    flamenco: Any, answers: Any, found: Any, words: str
) -> None:
    answers += [found]
    outcome = flamenco("workers", "ask", "alfa", "asleep", "--wait", "--timeout", "0.05")
    assert outcome.code == 1
    assert words in outcome.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["alfa", "error"], "'error' is not one of 'awake', 'asleep', 'offline', 'restart'"),
        (["alfa", "--wait"], "--when-idle and --wait need a STATUS"),
        (["zoe", "awake"], "there is no worker 'zoe'"),
    ],
)
def test_what_makes_no_sense_is_said(
    flamenco: Any, answers: Any, options: list[str], words: str
) -> None:
    outcome = flamenco("workers", "ask", *options)
    assert outcome.code in {1, 2}
    assert words in outcome.err


def test_a_late_worker_is_marked_in_the_list(flamenco: Any, farm: Any, answers: Any) -> None:
    farm.workers[0]["is_late"] = True
    assert "awake, late" in flamenco("workers").out
