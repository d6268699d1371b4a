"""The plugin in a Manager, and the check for people who write scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import flamenco_javascript.manager
import pytest
from flamenco_javascript.check import check_script
from flamenco_javascript.settings import Settings

from flamenco_core.errors import JobTypeError
from flamenco_core.plugins import Plugins
from flamenco_core.wire.describe import available_job_type
from flamenco_core.wire.job_types import EvalInfo


@attrs.frozen
class SmallManager:
    """As much of a Manager as the plugin asks for."""

    clock: Any
    new_id: Callable[[], str]
    settings: Settings

    def follow_settings(self, plugin: str, kind: type[Any], take: Any) -> Any:
        assert (plugin, kind) == ("javascript", Settings)
        return self.settings


async def test_the_installed_plugin_offers_the_scripts(
    own_scripts: Path, clock: Any, new_id: Callable[[], str]
) -> None:
    plugins = Plugins("manager", strict=True)
    plugins.register(flamenco_javascript.manager, "javascript")
    manager = SmallManager(clock, new_id, Settings(scripts=(own_scripts,)))
    offers = plugins.registered("register_job_types", manager=manager)
    assert list(offers) == ["javascript"]
    found = await offers["javascript"].all()
    assert [job_type.name for job_type in found] == ["every-call", "still-frames"]


def test_folders_start_beside_the_settings_file(tmp_path: Path) -> None:
    assert Settings().rooted(tmp_path).scripts == (tmp_path / "scripts",)
    elsewhere = tmp_path / "elsewhere"
    assert Settings(scripts=(elsewhere, Path("../b"))).rooted(tmp_path / "a").scripts == (
        elsewhere,
        tmp_path / "b",
    )


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"at_once": 0}, {"queue": -1}, {"tasks": 0}])
def test_a_limit_that_allows_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)


async def test_a_good_script_is_shown_as_clients_see_it(own_scripts: Path) -> None:
    described = available_job_type(await check_script(own_scripts / "every_call.js"))
    assert (described.name, described.label) == ("every-call", "Every Call")
    assert described.settings[0].evalInfo == EvalInfo(True, "All frames")
    assert len(described.etag) == 40


async def test_a_bad_script_is_told_with_its_place(own_scripts: Path) -> None:
    path = own_scripts / "bad.js"
    path.write_text("const JOB_TYPE = {label: 'Bad'};\nnothing.here;")
    path.chmod(0o644)
    with pytest.raises(JobTypeError, match=r"nothing is not defined \(bad\.js:2:1\)"):
        await check_script(path)


async def test_only_a_script_can_be_checked(tmp_path: Path) -> None:
    with pytest.raises(JobTypeError, match=r"ends in \.js"):
        await check_script(tmp_path / "a.py")
    with pytest.raises(JobTypeError, match="No such file"):
        await check_script(tmp_path / "a.js")
