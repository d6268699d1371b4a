"""``flamenco apply`` against a Manager that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from flamenco_core import hookimpl
from flamenco_core.cli.border import run
from flamenco_core.cli.context import Cli
from flamenco_core.manager.settings import load_manager_settings

EXAMPLE = Path(__file__).parents[2] / "examples" / "farm.yaml"
SETTINGS = """\
# The farm in the basement.
manager_name: Basement  # ask Ops
shared_storage_path: .
local_manager_storage_path: local
autodiscoverable: false
"""


@attrs.frozen(kw_only=True)
class ChatSettings:
    token: str = ""


class Chat:
    @hookimpl
    def register_services(self, host: Any) -> list[Any]:
        host.settings_of("chat", ChatSettings)
        return []


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    path = tmp_path / "manager" / "flamenco-manager.yaml"
    path.parent.mkdir()
    path.write_text(SETTINGS)
    return path


@pytest.fixture
def url(serve: Any, settings_file: Path) -> Iterator[str]:
    loaded = load_manager_settings(settings_file, environ={"FLAMENCO_FAIL_AT_LEAST": "5"})
    with serve(Chat(), loaded=loaded) as served:
        yield served.url


@pytest.fixture
def api(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{url}/api/v3") as client:
        yield client


@pytest.fixture
def apply(url: str, tmp_path: Path, capsys: Any):
    """Write a file, apply it; return exit code, lines, and what else was said."""

    def apply(text: str, *options: str) -> tuple[int, list[str], str]:
        path = tmp_path / "farm.yaml"
        path.write_text(text, encoding="utf-8")
        code = run(["apply", str(path), *options], Cli(url))
        seen = capsys.readouterr()
        return code, seen.out.splitlines(), seen.err

    return apply


@pytest.fixture
def worker(api: httpx.Client):
    """Register a worker of this name; return its id."""

    def worker(name: str) -> str:
        body = {"name": name, "platform": "linux", "secret": "5" * 64, "supported_task_types": []}
        answer = api.post("/worker/register-worker", json=body)
        assert answer.status_code == 200
        return str(answer.json()["uuid"])

    return worker


def tags_of(api: httpx.Client) -> dict[str, str]:
    found = api.get("/worker-mgt/tags").json()["tags"]
    return {tag["name"]: tag.get("description", "") for tag in found}


def names_of(api: httpx.Client, worker: str) -> list[str]:
    found = api.get(f"/worker-mgt/workers/{worker}").json().get("tags", [])
    return sorted(tag["name"] for tag in found)


def test_the_example_is_applied_and_then_there_is_nothing_to_do(apply, api, worker) -> None:
    ids = [worker(name) for name in ("render-01", "office-01", "office-02", "office-03")]
    code, lines, err = apply(EXAMPLE.read_text())
    assert (code, len(lines)) == (0, 17), lines
    assert "17 changes made" in err
    assert tags_of(api)["gpu"] == "Machines with a graphics card"
    assert names_of(api, ids[0]) == ["gpu", "night"]
    assert names_of(api, ids[3]) == ["gpu", "office"]
    schedule = api.get(f"/worker-mgt/workers/{ids[3]}/sleep-schedule").json()
    assert schedule["days_of_week"] == "mo tu we th fr"
    assert schedule["more_spans"] == [
        {"days_of_week": "sa", "start_time": "10:00", "end_time": "14:00"}
    ]
    assert apply(EXAMPLE.read_text()) == (0, [], "nothing to do\n")
    assert apply(EXAMPLE.read_text(), "--dry-run") == (0, [], "nothing to do\n")


def test_a_rehearsal_shows_the_same_and_changes_nothing(apply, api, settings_file) -> None:
    text = "tags: {gpu: New}\nsettings: {manager_name: Attic, task_timeout: 20m}\n"
    code, lines, err = apply(text, "--diff")
    assert (code, err) == (3, "3 changes would be made\n")
    assert (tags_of(api), settings_file.read_text()) == ({}, SETTINGS)
    assert apply(text)[1] == lines
    assert lines == [
        "+ tag gpu: New",
        "~ setting manager_name: Basement -> Attic",
        "~ setting task_timeout: 10m0s -> 20m0s",
    ]


def test_what_the_file_does_not_mention_stays(apply, api, worker, settings_file) -> None:
    id = worker("a")
    apply("tags: {x: One, y: Two}\nworkers: {a: {tags: [x], sleep: {spans: [mo]}}}\n")
    code, lines, _ = apply(
        "tags: {y: }\nworkers: {a: {tags: [y]}}\n"
        "variables: {more: {values: [{platform: all, value: 1}]}}\n"
    )
    assert (code, lines) == (0, ["+ variable more: 1", '~ worker a tags: ["x"] -> ["y"]'])
    assert tags_of(api) == {"x": "One", "y": "Two"}
    assert api.get(f"/worker-mgt/workers/{id}/sleep-schedule").json()["days_of_week"] == "mo"
    assert set(api.get("/configuration/file").json()["variables"]) == {
        "blender",
        "blenderArgs",
        "more",
    }
    assert "# ask Ops" in settings_file.read_text()


def test_a_schedule_is_switched_off_and_its_spans_stay(apply, api, worker) -> None:
    path = f"/worker-mgt/workers/{worker('a')}/sleep-schedule"
    apply("workers: {a: {sleep: {spans: [mo 08:00-19:00]}}}\n")
    code, lines, _ = apply("workers: {a: {sleep: never}}\n")
    assert (code, lines) == (0, ["~ worker a sleep: mo 08:00-19:00 -> never"])
    schedule = api.get(path).json()
    assert (schedule["is_active"], schedule["start_time"]) == (False, "08:00")
    assert apply("workers: {a: {sleep: never}}\n")[2] == "nothing to do\n"


def test_a_tag_has_a_schedule_for_those_without_one(apply, api, worker) -> None:
    path = f"/worker-mgt/workers/{worker('a')}/sleep-schedule"
    text = "tags: {desk: {sleep: {spans: [mo 08:00-19:00]}}}\nworkers: {a: {tags: [desk]}}\n"
    code, lines, _ = apply(text)
    assert (code, lines) == (
        0,
        [
            "+ tag desk",
            "~ tag desk sleep: never -> mo 08:00-19:00",
            '~ worker a tags: [] -> ["desk"]',
        ],
    )
    assert api.get(path).json()["tag"] == "desk"
    assert apply(text)[2] == "nothing to do\n"
    never = "tags: {desk: {sleep: never}}\n"
    assert apply(never)[1] == ["~ tag desk sleep: mo 08:00-19:00 -> never"]
    assert apply(never)[2] == "nothing to do\n"
    assert api.get(path).status_code == 204


def test_null_sets_a_setting_back_to_its_default(apply, settings_file) -> None:
    apply("settings: {task_timeout: 20m}\n")
    _, lines, _ = apply("settings: {task_timeout: }\n")
    assert lines == ["~ setting task_timeout: 20m0s -> 10m0s"]
    assert "task_timeout" not in settings_file.read_text()


# -- what is removed


def test_only_prune_removes_and_only_where_somebody_says_yes(apply, api) -> None:
    apply("tags: {x: One, y: }\n")
    text = "tags: {y: }\nvariables: {mine: {values: []}}\n"
    code, lines, err = apply(text, "--prune")
    assert (code, "--yes" in err) == (2, True)
    gone = ["- variable blender", "- variable blenderArgs"]
    assert lines == ["+ variable mine", *gone, "- tag x  (its jobs are for all workers then)"]
    assert set(tags_of(api)) == {"x", "y"}
    assert apply(text, "--prune", "--yes")[0] == 0
    assert set(tags_of(api)) == {"y"}
    assert set(api.get("/configuration/file").json()["variables"]) == {"mine"}


def test_prune_leaves_alone_what_the_file_says_nothing_of(apply, api) -> None:
    apply("tags: {x: One}\n")
    assert apply("settings: {}\n", "--prune") == (0, [], "nothing to do\n")
    assert set(tags_of(api)) == {"x"}


def test_a_tag_that_goes_can_be_given_to_nobody(apply, api, worker) -> None:
    worker("a")
    apply("tags: {x: One}\n")
    code, _, err = apply("tags: {y: }\nworkers: {a: {tags: [x]}}\n", "--prune", "--yes")
    assert (code, "there is no tag 'x'" in err) == (1, True)
    assert set(tags_of(api)) == {"x"}


# -- what is wrong


def test_a_worker_that_never_called_is_named_and_the_rest_is_done(apply, api) -> None:
    text = "tags: {x: One}\nworkers:\n  nobody: {tags: [x]}\n"
    code, lines, err = apply(text)
    assert (code, lines) == (4, ["+ tag x: One"])
    assert "farm.yaml:3: no worker 'nobody' has ever called" in err
    code, out, _ = apply(text, "--json")
    assert code == 4
    assert json.loads("\n".join(out)) == {
        "changed": False,
        "dry_run": False,
        "changes": [],
        "missing_workers": ["nobody"],
        "restart_needed": [],
    }


def test_two_workers_of_one_name_are_told_apart_by_their_ids(apply, worker) -> None:
    first, second = worker("a"), worker("a")
    code, _, err = apply("workers: {a: {tags: []}}\n")
    assert code == 1
    assert "farm.yaml:1: 2 workers have the name 'a'" in err
    assert first in err
    text = f"tags: {{x: }}\nworkers: {{{second}: {{tags: [x]}}}}\n"
    assert apply(text)[1] == ["+ tag x", f'~ worker {second} tags: [] -> ["x"]']


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("workers: {a: {tags: [gpx]}}\ntags: {gpu: }", ["farm.yaml:1", "did you mean 'gpu'"]),
        ("settings:\n  plugins: {nix: {a: 1}}", ["farm.yaml:2", "'plugins.nix'"]),
        ("settings:\n  plugins:\n    chat: {room: 1}", ["farm.yaml:3", "'plugins.chat.room'"]),
        ("settings: {fail_at_least: 9}", ["FLAMENCO_FAIL_AT_LEAST wins"]),
        ("settings: {plugins_dir: /x}", ["by hand"]),
    ],
)
def test_what_the_manager_refuses_changes_nothing(apply, api, settings_file, text, words) -> None:
    code, lines, err = apply(f"{text}\n")
    assert (code, lines) == (1, [])
    assert all(word in err for word in words), err
    assert (tags_of(api), settings_file.read_text()) == ({}, SETTINGS)


def test_what_the_environment_says_already_is_fine(apply) -> None:
    assert apply("settings: {fail_at_least: 5}\n")[2] == "nothing to do\n"


def test_mistakes_in_the_file_are_said_a_line_each(apply) -> None:
    code, lines, err = apply("tags: 3\nsettings: {nix: 1}\n")
    assert (code, lines, len(err.splitlines())) == (1, [], 2)


def test_secrets_are_never_shown(apply, settings_file) -> None:
    first = apply("settings: {plugins: {chat: {token: swordfish}}}\n")
    second = apply("settings: {plugins: {chat: {token: marlin}}}\n", "--json")
    third = apply("settings: {plugins: {chat: {token: herring}}}\n")
    assert "swordfish" not in str((first, second, third))
    assert "marlin" not in str((first, second, third))
    assert third[1] == ["~ setting plugins.chat.token: (not shown)  (after a restart)"]
    assert "plugins.chat.token" in third[2]
    assert "token: herring" in settings_file.read_text()
