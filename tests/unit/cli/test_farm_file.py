"""The file that `flamenco apply` reads: what it means, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flamenco_core.cli.provision.farm_file import FarmFile, TagWish, read_farm_file
from flamenco_core.cli.provision.sleep import same_sleep, sleep_in_words
from flamenco_core.errors import ConfigError
from flamenco_core.wire.sleep import SleepSpan, WorkerSleepSchedule

EXAMPLE = Path(__file__).parents[3] / "examples" / "farm.yaml"


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str) -> FarmFile:
        path = tmp_path / "farm.yaml"
        path.write_text(text, encoding="utf-8")
        return read_farm_file(path)

    return read


@pytest.fixture
def wrong(read):
    """Read a file that is wrong; return what is said, without its folder."""

    def wrong(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            read(text)
        return [line[line.index("farm.yaml") :] for line in str(caught.value).splitlines()]

    return wrong


def test_an_empty_file_wants_nothing(read) -> None:
    found = read("# later\n")
    assert (found.tags, found.workers, found.variables, found.settings) == (None,) * 4


def test_tags_with_and_without_a_description(read) -> None:
    found = read("tags:\n  a: Words\n  b:\n  c: {description: More}\n  d: ''\n")
    assert found.tags == {
        "a": TagWish("Words"),
        "b": TagWish(None),
        "c": TagWish("More"),
        "d": TagWish(""),
    }


def test_a_workers_tags_and_sleep(read) -> None:
    found = read(
        """\
workers:
  one:
    tags: [a, b]
    sleep:
      spans: [Mo TUE 8:00-19:30, sa]
      except: [2026-12-25, 2026-12-24]
      time_zone: UTC
      finish_task: yes
  two: {sleep: never}
  three:
"""
    ).workers
    assert found is not None
    assert found["one"].tags == ("a", "b")
    assert found["one"].sleep == WorkerSleepSchedule(
        is_active=True,
        days_of_week="mo tu",
        start_time="08:00",
        end_time="19:30",
        more_spans=[SleepSpan(days_of_week="sa")],
        exceptions=["2026-12-24", "2026-12-25"],
        time_zone="UTC",
        finish_task=True,
    )
    assert found["two"].sleep is not None
    assert found["two"].sleep.is_active is False
    assert (found["three"].tags, found["three"].sleep) == (None, None)


def test_settings_are_sent_as_they_are_understood(read) -> None:
    found = read(
        """\
settings:
  shown_version: 3.10
  task_timeout: 90m
  worker_timeout:
  strict: yes
  blocked: [a, b]
  cleanup:
    rules: [{user: artist, after: never}, {status: completed, after: 2w}]
  shaman: {garbageCollect: {maxAge: 24h}}
  plugins: {chat: {token: x, room: 3}}
"""
    )
    assert found.settings == {
        "shown_version": "3.10",
        "task_timeout": "1h30m0s",
        "worker_timeout": None,
        "strict": True,
        "blocked": ["a", "b"],
        "cleanup": {
            "rules": [
                {"user": "artist", "after": "never"},
                {"status": ["completed"], "after": "14d"},
            ]
        },
        "shaman": {"garbageCollect": {"maxAge": "24h0m0s"}},
        "plugins": {"chat": {"token": "x", "room": 3}},
    }


def test_variables_are_sent_as_the_api_has_them(read) -> None:
    found = read("variables: {b: {values: [{platforms: [linux, darwin], value: x}]}}\n")
    values = [{"audience": "all", "platform": p, "value": "x"} for p in ("linux", "darwin")]
    assert found.variables == {"b": {"values": values}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tag: {a: b}", "farm.yaml:1: unknown setting 'tag'; did you mean 'tags'?"),
        ("tags: [a]", "farm.yaml:1: tags: must be a section"),
        ("tags:\n  a: {colour: x}", "farm.yaml:2: unknown setting 'tags.a.colour'"),
        ("tags:\n  a: [b]", "farm.yaml:2: tags.a: must be a section"),
        ("workers:\n  a: [b]", "farm.yaml:2: workers.a: must be a section"),
        ("workers:\n  a:\n    tags: {b: c}", "farm.yaml:3: workers.a.tags: must be a list"),
        ("workers:\n  a:\n    tgas: [b]", "farm.yaml:3: unknown setting 'workers.a.tgas'; did"),
        ("tags:\n  a:\n    sleep: often", "farm.yaml:3: tags.a.sleep: must be 'never', or"),
        ("workers:\n  a:\n    sleep: often", "farm.yaml:3: workers.a.sleep: must be 'never', or"),
        ("workers:\n  a:\n    sleep: {}", "farm.yaml:3: workers.a.sleep.spans: is missing"),
        ("workers:\n  a:\n    sleep:\n      spans: []", "farm.yaml:3: workers.a.sleep.spans: must"),
        (
            "workers:\n  a: {sleep: {spans: [x 01:00-02:00]}}",
            "farm.yaml:2: workers.a.sleep.spans: 'x' is",
        ),
        ("workers:\n  a: {sleep: {spans: [mo 1-2]}}", "farm.yaml:2: workers.a.sleep.spans: inval"),
        ("workers: {a: {sleep: {spans: [mo], span: 3}}}", "farm.yaml:1: workers.a.sleep.span: is"),
        (
            "workers: {a: {sleep: {spans: [mo], except: [Monday]}}}",
            "farm.yaml:1: workers.a.sleep.except: 'Monday' is no date; write it as",
        ),
        (
            "workers: {a: {sleep: {spans: [mo], time_zone: Moon}}}",
            "farm.yaml:1: workers.a.sleep.time_zone: 'Moon' is no time zone",
        ),
        ("variables: 3", "farm.yaml:1: variables: must be a section"),
        ("variables:\n  a: 3", "farm.yaml:2: variables.a: must be a section with 'values'"),
        ("settings: on", "farm.yaml:1: settings: must be a section"),
        (
            "settings:\n  task_timeot: 3m",
            "farm.yaml:2: unknown setting 'settings.task_timeot'; did",
        ),
        ("settings:\n  task_timeout: soon", "farm.yaml:2: settings.task_timeout: must be a dura"),
        ("settings:\n  variables: {}", "farm.yaml:2: settings.variables: belong beside"),
        ("settings: {cleanup: {rules: [{after: x}]}}", "farm.yaml:1: settings.cleanup.rules: must"),
        ("settings: {cleanup: {rules: [{usr: x, after: 1d}]}}", "farm.yaml:1: settings.cleanup.ru"),
        ("settings: [", "farm.yaml:1: not valid YAML"),
        ("- a", "farm.yaml:1: must consist of lines"),
    ],
)
def test_each_mistake_is_named_with_its_line_and_cure(wrong, text, said) -> None:
    (line,) = wrong(text)
    assert line.startswith(said)


def test_all_mistakes_are_said_at_once_in_the_order_of_lines(wrong) -> None:
    said = wrong("tags: 3\nworker: {}\nsettings:\n  strict: 3\n  listen: x\nvariables: 3\n")
    assert [line.split(":")[1] for line in said] == ["1", "2", "4", "5", "6"]


def test_a_secret_that_is_wrong_is_not_shown(wrong) -> None:
    (line,) = wrong("settings: {mqtt: {client: {password: [hunter2]}}}")
    assert "hunter2" not in line


def test_lines_of_keys_are_known_and_those_around_them(read) -> None:
    found = read("workers:\n  a.b:\n    tags: [x]\n")
    assert found.line_of("workers.a.b.tags").endswith(":3")
    assert found.line_of("workers.a.b.tags.more").endswith(":3")
    assert found.line_of("nothing") == str(found.path)


def test_the_example_is_right_and_says_it_once_for_workers_that_are_alike() -> None:
    found = read_farm_file(EXAMPLE)
    workers: Any = found.workers
    assert workers["office-02"] == workers["office-01"]
    assert workers["office-03"].sleep == workers["office-01"].sleep
    assert workers["office-03"].tags == ("office", "gpu")


# -- sleep


def a_schedule(**changes: Any) -> WorkerSleepSchedule:
    facts = {"is_active": True, "days_of_week": "mo", "start_time": "", "end_time": "06:00"}
    return WorkerSleepSchedule(**{**facts, **changes})


def test_what_is_left_out_is_the_same_as_what_is_usual() -> None:
    stated = a_schedule(more_spans=[], exceptions=[], time_zone="", finish_task=False)
    assert same_sleep(a_schedule(), stated)
    assert same_sleep(a_schedule(), a_schedule(status="asleep", next_change="then"))


@pytest.mark.parametrize(
    "other",
    [
        a_schedule(end_time="07:00"),
        a_schedule(more_spans=[SleepSpan(days_of_week="tu")]),
        a_schedule(exceptions=["2026-12-24"]),
        a_schedule(time_zone="UTC"),
        a_schedule(finish_task=True),
        a_schedule(is_active=False),
        None,
    ],
)
def test_any_difference_counts(other) -> None:
    assert not same_sleep(a_schedule(), other)


def test_never_is_no_schedule_or_one_that_is_off() -> None:
    never = a_schedule(is_active=False)
    assert same_sleep(never, None)
    assert same_sleep(never, a_schedule(is_active=False, days_of_week="tu"))
    assert not same_sleep(never, a_schedule())
    assert sleep_in_words(None) == sleep_in_words(never) == "never"
