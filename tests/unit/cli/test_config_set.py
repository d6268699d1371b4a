"""``flamenco config set``: change settings of a Manager that works."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def known(farm):
    """What the Manager has."""
    keys = ("manager_name", "hosts", "limits.json_keys", "limits.body_kilobytes", "task_timeout")
    facts = {"source": "default", "where": "default", "acts": "at once", "help": ""}
    farm.settings = [{"key": key, "value": 1, **facts} for key in keys]


def test_changes_are_sent_together_in_their_sections(flamenco, farm):
    arguments = ("limits.json_keys=5000", "limits.body_kilobytes=64", "task_timeout=20m")
    outcome = flamenco("config", "set", *arguments, "hosts=[a.example, b]", "manager_name=")
    assert (outcome.code, outcome.out) == (0, "changed\n")
    assert farm.told == [
        (
            "/configuration/file",
            {
                "limits": {"json_keys": 5000, "body_kilobytes": 64},
                "task_timeout": "20m",
                "hosts": ["a.example", "b"],
                "manager_name": None,
            },
        )
    ]
    # By this the Manager tells the command line from a page.
    assert farm.requests[-1].headers["user-agent"] == "flamenco-cli"


def test_what_waits_for_a_restart_is_named(flamenco, farm):
    farm.waiting = {"Restart-Needed": "listen, blocked"}
    outcome = flamenco("config", "set", "manager_name=a=b")
    assert outcome.out.splitlines()[1:] == ["listen", "blocked"]
    assert farm.told[0][1] == {"manager_name": "a=b"}


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("manager_name", "'manager_name' is no change; write KEY=VALUE, such as"),
        ("=5", "'=5' is no change"),
        ("limits.json_key=5", "no setting 'limits.json_key'; did you mean 'limits.json_keys'?"),
        ("limits.nonsense=5", "no setting 'limits.nonsense'; see 'flamenco config show'"),
        ("task_time_out=5m", "no setting 'task_time_out'; did you mean 'task_timeout'?"),
        ("limit.json_keys=5", "no setting 'limit.json_keys'; did you mean 'limits.json_keys'?"),
        ("zzz=5", "there is no setting 'zzz'; see 'flamenco config show'"),
        ("hosts=[a", "argument hosts:1: not valid YAML"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_sent(flamenco, farm, argument, words):
    outcome = flamenco("config", "set", argument)
    assert outcome.code == 1
    assert words in outcome.err
    assert farm.told == []


def test_without_a_change_the_usage_is_shown(flamenco):
    assert flamenco("config", "set").code == 2
