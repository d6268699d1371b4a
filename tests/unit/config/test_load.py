from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
from attrs import validators

from flamenco_core.config import Duration, Loaded, load_settings, option
from flamenco_core.errors import ConfigError


class Color(StrEnum):
    RED = "red"


@attrs.frozen(kw_only=True)
class Inner:
    enabled: bool = True
    max_age: Duration = option(Duration.of(60), key="maxAge")


@attrs.frozen(kw_only=True)
class Farm:
    name: str = option("Farm", "Name of the farm.")
    port: int = option(80, validator=validators.and_(validators.ge(1), validators.le(65535)))
    ratio: float = 0.5
    quiet: bool = False
    wait: Duration = option(Duration.of(10))
    folder: Path | None = None
    blocked: tuple[str, ...] = ()
    level: Literal["low", "high"] = "low"
    color: Color = Color.RED
    password: str = ""
    inner: Inner = attrs.field(factory=Inner)
    plugins: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class Notify:
    url: str = ""
    every: Duration = option(Duration.of(1))


Load = Callable[..., Loaded[Farm]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str = "", environ: Mapping[str, str] | None = None, **over: Any) -> Loaded[Farm]:
        path = tmp_path / "farm.yaml"
        path.write_text(text)
        return load_settings(path, Farm, overrides=over, environ=environ or {})

    return load


def wrong(load: Load, text: str = "", **more: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load(text, **more)
    return str(caught.value)


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    for path in (None, tmp_path / "missing.yaml"):
        loaded = load_settings(path, Farm, environ={})
        assert loaded.settings == Farm()
        assert not loaded.exists
        assert loaded.source_of("name") == "default"
    assert loaded.folder == tmp_path


def test_every_kind_of_value_is_read(load: Load) -> None:
    text = """
name: 1234
port: 8080
ratio: 1
quiet: yes
wait: 1h30m
folder: ~/farm
blocked: [a, "2"]
level: high
color: red
inner: {enabled: off, maxAge: 5s}
plugins: {blender: {threads: 4, args: [-b, 1.5]}}
"""
    settings = load(text).settings
    assert settings == Farm(
        name="1234",
        port=8080,
        ratio=1.0,
        quiet=True,
        wait=Duration.parse("1h30m"),
        folder=Path.home() / "farm",
        blocked=("a", "2"),
        level="high",
        inner=Inner(enabled=False, max_age=Duration.of(5)),
        plugins={"blender": {"threads": 4, "args": ["-b", 1.5]}},
    )


def test_an_argument_beats_the_environment_that_the_file_and_that_the_default(load: Load) -> None:
    text = "name: file\nport: 1\nquiet: true\n"
    loaded = load(text, {"FLAMENCO_NAME": "env", "FLAMENCO_PORT": "2"}, name="argument")
    assert (loaded.settings.name, loaded.settings.port) == ("argument", 2)
    sources = [loaded.source_of(key) for key in ("name", "port", "quiet", "ratio")]
    assert sources == ["argument", "environment", "file", "default"]


def test_sections_of_several_sources_are_merged(load: Load) -> None:
    loaded = load("inner: {maxAge: 5s}\n", {"FLAMENCO_INNER__ENABLED": "no"})
    assert loaded.settings.inner == Inner(enabled=False, max_age=Duration.of(5))
    assert loaded.source_of("inner.enabled") == "environment"
    assert loaded.source_of("inner.maxAge") == "file"


def test_the_environment_spells_keys_in_any_case_and_lists_with_commas(load: Load) -> None:
    environ = {
        "FLAMENCO_INNER__MAXAGE": "7s",
        "FLAMENCO_BLOCKED": "a, b,",
        "FLAMENCO_NAME": "{render}: [x",
        "FLAMENCO_BLENDER": "/usr/bin/blender",
        "FLAMENCO_INNER__OTHER": "1",
        "OTHER_NAME": "x",
    }
    settings = load("", environ).settings
    assert settings.inner.max_age == Duration.of(7)
    assert settings.blocked == ("a", "b")
    assert settings.name == "{render}: [x"


def test_arguments_reach_into_sections_and_none_does_not_count(load: Load) -> None:
    settings = load("name: file\n", **{"inner.enabled": False, "name": None, "blocked": ["x"]})
    assert settings.settings.name == "file"
    assert settings.settings.blocked == ("x",)
    assert settings.settings.inner.enabled is False


def test_arguments_may_be_ready_made_values(load: Load, tmp_path: Path) -> None:
    settings = load("", wait=Duration.of(3), folder=tmp_path, inner={"enabled": False}).settings
    assert (settings.wait, settings.folder) == (Duration.of(3), tmp_path)
    assert settings.inner.enabled is False


def test_a_key_without_a_value_means_the_default(load: Load) -> None:
    assert load("name:\nport: ~\ninner:\n").settings == Farm()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("port: many", "port: must be a whole number; it is 'many'"),
        ("port: 1.5", "port: must be a whole number; it is 1.5"),
        ("port: true", "port: must be a whole number"),
        ("port: 0", "port: must be >= 1; it is 0"),
        ("port: 99999", "port: must be <= 65535"),
        ("ratio: x", "ratio: must be a number"),
        ("quiet: maybe", "quiet: must be true or false; it is 'maybe'"),
        ("quiet: 1", "quiet: must be true or false"),
        ("wait: 10", "wait: must be a duration such as 90s, 10m or 1h30m; it is 10"),
        ("wait: -3s", "wait: must not be negative"),
        ("folder: ''", "folder: must be a path"),
        ("name: [x]", "name: must be a text"),
        ("blocked: {a: b}", "blocked: must be a list"),
        ("blocked: [[a]]", "blocked: must be a text"),
        ("level: middle", "level: must be one of low, high; it is 'middle'"),
        ("color: blue", "color: must be one of red"),
        ("inner: 3", "inner: must be a section"),
        ("inner: {maxAge: x}", "inner.maxAge: must be a duration"),
        ("plugins: [x]", "plugins: must be a section"),
    ],
)
def test_a_wrong_value_is_named_with_line_key_and_cure(load: Load, line: str, words: str) -> None:
    message = wrong(load, f"# the farm\n{line}\n")
    assert "farm.yaml:2: " in message
    assert words in message


def test_everything_that_is_wrong_is_said_at_once(load: Load) -> None:
    message = wrong(load, "port: x\nquiet: x\ninner:\n  enabled: x\n")
    assert [line.split("farm.yaml:")[1][0] for line in message.splitlines()] == ["1", "2", "4"]


def test_a_wrong_variable_or_argument_is_named(load: Load) -> None:
    assert wrong(load, environ={"FLAMENCO_PORT": "x"}).startswith("FLAMENCO_PORT: port: must be")
    assert wrong(load, port="x").startswith("argument port: port: must be")
    assert "inner: must be" in wrong(load, inner=3)
    assert "must be" in wrong(load, environ={"FLAMENCO_NAME__X": "1"})


def test_secrets_are_not_shown(load: Load) -> None:
    message = wrong(load, "password: [hunter2]\nport: postgresql://me:hunter2@host/x\n")
    assert "hunter2" not in message
    assert "the value is not shown" in message


def test_a_setting_without_default_has_to_be_there(tmp_path: Path) -> None:
    @attrs.frozen
    class Needs:
        token: str

    with pytest.raises(ConfigError, match="token: is missing; add it"):
        load_settings(tmp_path / "x.yaml", Needs, environ={})


def test_unknown_keys_are_kept_and_reported_with_the_nearest(load: Load) -> None:
    loaded = load("nmae: x\nzzz: 1\ninner: {enabeld: true}\n")
    unknown = loaded.unknown()
    assert [(item.key, item.nearest) for item in unknown] == [
        ("nmae", "name"),
        ("zzz", None),
        ("inner.enabeld", "inner.enabled"),
    ]
    assert str(unknown[0]).endswith("farm.yaml:1: unknown setting 'nmae'; did you mean 'name'?")
    assert str(unknown[1]).endswith("farm.yaml:2: unknown setting 'zzz'")


def test_a_plugin_gets_its_section_as_its_own_class(load: Load) -> None:
    loaded = load("plugins:\n  notify: {url: json://x, every: 1m}\n")
    assert loaded.section("notify", Notify) == Notify("json://x", Duration.of(60))
    assert loaded.section("other", Notify) == Notify()


def test_a_top_level_section_is_laid_under_the_plugins_own(load: Load) -> None:
    loaded = load("notify: {url: a, every: 1m}\nplugins: {notify: {url: b}}\n")
    assert loaded.section("notify", Notify) == Notify("b", Duration.of(60))
    assert loaded.unknown() == []


def test_a_wrong_value_of_a_plugin_is_named_like_any_other(load: Load) -> None:
    loaded = load("plugins:\n  notify:\n    every: often\n  web: 3\n")
    with pytest.raises(ConfigError, match=r"farm\.yaml:3: plugins\.notify\.every: must be"):
        loaded.section("notify", Notify)
    with pytest.raises(ConfigError, match=r"farm\.yaml:4: plugins\.web: must be a section"):
        loaded.section("web", Notify)


def test_unknown_keys_of_a_plugin_are_reported_when_it_has_taken_its_section(load: Load) -> None:
    loaded = load("plugins: {notify: {ulr: x}}\n")
    assert loaded.unknown() == []
    loaded.section("notify", Notify)
    assert [item.nearest for item in loaded.unknown()] == ["plugins.notify.url"]


def test_the_environment_reaches_a_plugins_section(load: Load) -> None:
    loaded = load("", {"FLAMENCO_PLUGINS__NOTIFY__URL": "json://env"})
    assert loaded.section("notify", Notify).url == "json://env"


def test_a_half_written_file_changes_nothing_and_names_its_line(load: Load) -> None:
    assert "farm.yaml:2" in wrong(load, "name: x\nport: [80")
