"""Managers that go by different settings say so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
import pytest
from several_steps import Managers, hears, until

from flamenco_core import Service, hookimpl
from flamenco_core.domain.events import SettingsChanged
from flamenco_core.errors import ConfigError
from flamenco_core.manager.introduction import Introduction, differences, introduce

pytestmark = pytest.mark.postgresql

MINE = Introduction(
    name="alfa", version="1", folder="f", settings={"a": "1", "b": "2"}, plugins=("p",)
)


def test_equal_ones_have_nothing_to_say() -> None:
    assert [*differences(MINE, attrs.evolve(MINE, name="beta"))] == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"folder": "g"}, r"'local_manager_storage_path'.* one folder"),
        ({"version": "2"}, "version 2, this is 1: use one version"),
        ({"settings": {"a": "1", "b": "3"}}, "these settings differ: b; make them the same"),
        ({"plugins": ("p", "q")}, "only one of both has these plugins: q"),
    ],
)
def test_each_difference_is_named_with_its_cure(change: dict[str, Any], words: str) -> None:
    (said,) = differences(MINE, attrs.evolve(MINE, **change))
    assert re.search(words, said)


def test_a_setting_that_the_other_does_not_know_is_no_difference() -> None:
    assert [*differences(MINE, attrs.evolve(MINE, settings={"a": "1"}))] == []


async def test_managers_with_equal_settings_only_greet(
    managers: Managers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await managers.two()
    assert caplog.text.count("there is another Manager on this database") == 2
    assert "differ" not in caplog.text


async def test_managers_with_different_settings_say_which(
    managers: Managers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Extra:
        @hookimpl
        def register_services(self) -> list[Service]:
            return []

    alfa = await managers.start()
    beta = await managers.start(
        Extra(), blocklist_threshold=7, local_manager_storage_path=tmp_path / "elsewhere"
    )
    await hears(alfa, beta)
    await until(lambda: caplog.text.count("blocklist_threshold") == 2)
    assert caplog.text.count("logs and images are in another folder") == 2
    assert caplog.text.count("only one of both has these plugins") == 2


async def test_a_folder_that_cannot_be_written_is_named_with_the_cure(
    managers: Managers, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    expected = pytest.RaisesExc(ConfigError, match=r"cannot write to .*logs: .*another 'local_m")
    with pytest.RaisesGroup(expected, flatten_subgroups=True):
        await managers.start(local_manager_storage_path=tmp_path / "file" / "logs")


async def test_a_secret_is_not_told(managers: Managers) -> None:
    alfa = await managers.start(plugins={"notify": {"password": "canary"}}, blocked=["notify"])
    assert "canary" not in str(introduce(alfa.manager))


async def test_settings_that_change_at_work_are_compared_a_while_later(
    managers: Managers, caplog: pytest.LogCaptureFixture
) -> None:
    alfa, beta = await managers.two()
    change_threshold(alfa, 7)
    await hears(alfa, beta)
    neighbors = beta.manager.neighbors
    await neighbors.compare()
    assert "differ" not in caplog.text  # who shares the file may not have read it yet
    await neighbors.compare()
    assert caplog.text.count("these settings differ: blocklist_threshold") == 1
    await neighbors.compare()
    assert caplog.text.count("differ") == 1  # once


async def test_settings_that_both_have_changed_are_no_difference(
    managers: Managers, caplog: pytest.LogCaptureFixture
) -> None:
    both = await managers.two()
    for running in both:
        change_threshold(running, 7)
    for sender, receiver in (both, both[::-1]):
        await hears(sender, receiver)
    for _ in range(2):
        for running in both:
            await running.manager.neighbors.compare()
    assert "differ" not in caplog.text


def change_threshold(running: Any, threshold: int) -> None:
    """Let other settings count, as an edit of the file does."""
    manager = running.manager
    settings = attrs.evolve(manager.settings, blocklist_threshold=threshold)
    manager.take_settings(attrs.evolve(manager.loaded, settings=settings))
    manager.configuration.told(SettingsChanged(keys=("blocklist_threshold",), source="file"))
