"""The settings file while the Manager works: what a bad edit can do, which is nothing."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any

import pytest

from flamenco_core.config import Duration
from flamenco_core.config.yaml_file import MAX_BYTES
from flamenco_core.errors import BadRequest, Conflict
from flamenco_core.manager.configuration import Configuration
from flamenco_core.manager.settings import ManagerSettings, load_manager_settings

GOOD = "manager_name: Attic\nshared_storage_path: /mnt/render\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "flamenco-manager.yaml"
    file.write_text(GOOD)
    return file


@pytest.fixture
def taken() -> list[ManagerSettings]:
    """The settings that were let count, one after the other."""
    return []


@pytest.fixture
def configuration(file: Path, taken: list[ManagerSettings]) -> Configuration:
    loaded = load_manager_settings(file, environ={})
    return Configuration(loaded, lambda loaded: taken.append(loaded.settings))


async def edited(configuration: Configuration, raw: bytes | str) -> None:
    """Change the file, and look at it until it has come to rest."""
    path = configuration.path
    path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    moment = path.stat().st_mtime_ns + 1_000_000
    os.utime(path, ns=(moment, moment))
    await configuration.look()
    await configuration.look()


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
HOSTILE: list[tuple[bytes | str, str]] = [
    (BOMB, ":1: too much for a settings file"),
    ("x: " + "[" * 200 + "]" * 200 + "\n", ":1: too much for a settings file"),
    ("x: " + "{a: " * 5000 + "}" * 5000 + "\n", ":1: too much"),
    ("k: v\n" * 40_000, ":1000"),
    ("# padding\n" * (MAX_BYTES // 8), ": larger than 256 kB"),
    ("manager_name: [half\n", ":"),
    ("manager_name: 'half\n", ":"),
    ("manager_name: Attic\nshared_stor", ":2: not valid YAML"),
    ("- a\n- list\n", ":1: must consist of lines"),
    ("just text", ":1: must consist of lines"),
    ("manager_name: {a: b}\n", ":1: manager_name: must be a text"),
    ("fail_percentage: ten\n", ":1: fail_percentage: must be a whole number; it is 'ten'"),
    ("task_timeout: 600\n", ":1: task_timeout: must be a duration"),
    ("manager_name: A\n\tlisten: :80\n", ":2: not valid YAML"),
    ("manager_name: A\nlisten: ':1'\nmanager_name: B\n", ":3: 'manager_name' is there twice"),
    (b"manager_name: A\nlisten: \xff\xfe\n", ":2: not UTF-8 text"),
    (b"\x7fELF\x02\x01\x01" + bytes(range(256)), ":"),
    (b"manager_name: A\0\n", ":"),
    ("manager_name: !!python/object/apply:os.system ['true']\n", ":1: "),
    ("_meta: {version: 4}\n", ":1: _meta.version: must be 3"),
    ("x: &x [*x]\n", ":"),
    ("", ": has no settings in it any more"),
    ("# all gone\n", ": has no settings in it any more"),
]


@pytest.mark.parametrize(("raw", "words"), HOSTILE, ids=lambda value: repr(value)[:24])
async def test_a_bad_edit_changes_nothing_and_is_named_with_file_and_line(
    configuration, file, taken, caplog, raw, words
) -> None:
    before = configuration.loaded
    started = time.monotonic()
    await edited(configuration, raw)
    assert time.monotonic() - started < 10
    assert configuration.loaded is before
    assert taken == []
    assert configuration.problem.startswith(f"{file}")
    assert words in configuration.problem
    assert "\n" not in configuration.problem
    await configuration.look()
    assert len([r for r in caplog.records if r.levelno == logging.ERROR]) == 1


@pytest.mark.parametrize(("raw", "words"), HOSTILE[:6], ids=lambda value: repr(value)[:24])
async def test_nothing_is_saved_over_a_bad_file(configuration, file, raw, words) -> None:
    file.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    with pytest.raises(BadRequest) as caught:
        await configuration.change({"manager_name": "Cellar"})
    assert words in str(caught.value)
    assert configuration.loaded.settings.manager_name == "Attic"


async def test_a_good_edit_counts_and_followers_hear_of_it(configuration, taken) -> None:
    heard: list[tuple[str, str]] = []
    configuration.followers.append(
        lambda old, new: heard.append((old.manager_name, new.manager_name))
    )
    await edited(configuration, "\ufeff" + GOOD.replace("Attic", "Cellar") + "worker_timeout: 2m\n")
    assert [s.worker_timeout for s in taken] == [Duration.parse("2m")]
    assert heard == [("Attic", "Cellar")]


async def test_a_file_that_is_only_touched_changes_nothing(configuration, taken) -> None:
    await edited(configuration, GOOD)
    await edited(configuration, f"# a comment\n{GOOD}")
    assert taken == []


async def test_a_file_is_left_alone_while_it_is_written(configuration, file, taken) -> None:
    # Each look finds it longer than the last one did; a part of it would be valid.
    for end in range(30, len(GOOD), 10):
        file.write_text(GOOD[:end])
        await configuration.look()
        assert taken == []
        assert configuration.problem == ""


async def test_a_file_that_is_gone_changes_nothing_until_it_is_back(
    configuration, file, taken
) -> None:
    file.unlink()
    await configuration.look()
    await configuration.look()
    assert configuration.problem.endswith("put it back, or restart to use defaults")
    assert taken == []
    await edited(configuration, GOOD)
    assert configuration.problem == ""


async def test_a_file_that_comes_later_is_taken(tmp_path: Path, taken) -> None:
    loaded = load_manager_settings(tmp_path / "flamenco-manager.yaml", environ={})
    configuration = Configuration(loaded, lambda loaded: taken.append(loaded.settings))
    await configuration.look()
    await edited(configuration, GOOD)
    assert [s.is_first_run for s in taken] == [False]


async def test_a_farm_at_work_stays_set_up(configuration, taken, caplog) -> None:
    await edited(configuration, "manager_name: Cellar\n")
    assert taken[0].manager_name == "Cellar"
    assert taken[0].shared_storage_path.endswith("render")
    assert "asks for it when it starts again" in caplog.text


async def test_what_waits_for_a_restart_is_named_until_it_is_taken_back(configuration) -> None:
    await edited(configuration, GOOD + "listen: ':9'\nblocked: [x]\nmanager_name2: y\n")
    assert configuration.restart_needed == ["listen", "blocked"]
    configuration.counts_now("listen")
    assert configuration.restart_needed == ["blocked"]
    await edited(configuration, GOOD)
    assert configuration.restart_needed == ["listen"]


async def test_the_environment_still_wins_after_an_edit(file, taken) -> None:
    environ = {"FLAMENCO_MANAGER_NAME": "Container"}
    configuration = Configuration(
        load_manager_settings(file, environ=environ), lambda loaded: taken.append(loaded.settings)
    )
    await edited(configuration, GOOD.replace("Attic", "Cellar") + "worker_timeout: 2m\n")
    assert taken[0].manager_name == "Container"


async def test_settings_without_a_file_are_not_looked_for(taken) -> None:
    configuration = Configuration(
        load_manager_settings_from_code(), lambda loaded: taken.append(loaded.settings)
    )
    await configuration.look()
    with pytest.raises(Conflict, match="with a settings file"):
        await configuration.change({"manager_name": "x"})


def load_manager_settings_from_code() -> Any:
    from flamenco_core.config import load_settings

    return load_settings(None, ManagerSettings, environ={})


async def test_two_changes_at_one_time_are_both_kept(configuration, file) -> None:
    import anyio

    async with anyio.create_task_group() as group:
        for change in ({"manager_name": "Cellar"}, {"worker_timeout": "5m"}):
            group.start_soon(configuration.change, change)
    assert "Cellar" in file.read_text()
    assert "worker_timeout: 5m" in file.read_text()
