from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import attrs
import jsonschema
from attrs import validators

from flamenco_core.config import Duration, load_settings, option
from flamenco_core.config.listing import all_settings, without_effect
from flamenco_core.config.schema import schema_of
from flamenco_core.config.secrets import MASK


class Color(StrEnum):
    RED = "red"


@attrs.frozen(kw_only=True)
class Inner:
    enabled: bool = True
    max_age: Duration = option(Duration.of(60), key="maxAge", acts="at once")


@attrs.frozen(kw_only=True)
class Farm:
    needed: str
    port: int = option(80, "To serve on.", validator=validators.ge(1))
    share: int = option(5, validator=validators.and_(validators.ge(1), validators.lt(9)))
    ratio: float = 0.5
    folder: Path | None = None
    names: tuple[str, ...] = ("a",)
    level: Literal["low", "high"] = "low"
    color: Color = Color.RED
    password: str = ""
    inner: Inner = option(factory=Inner, acts="not yet")
    free: Mapping[str, Any] = attrs.field(factory=dict)


def test_every_kind_of_setting_is_described() -> None:
    schema = schema_of(Farm)
    jsonschema.Draft202012Validator.check_schema(schema)
    known = schema["properties"]
    assert schema["required"] == ["needed"]
    assert known["port"] == {
        "type": "integer",
        "minimum": 1,
        "default": 80,
        "description": "To serve on.",
        "x-acts": "after a restart",
    }
    assert (known["share"]["minimum"], known["share"]["exclusiveMaximum"]) == (1, 9)
    assert known["folder"] == {"type": "string", "x-acts": "after a restart"}
    assert known["names"]["items"] == {"type": "string"}
    assert known["level"]["enum"] == ["low", "high"]
    assert (known["color"]["enum"], known["color"]["default"]) == (["red"], "red")
    assert known["password"]["format"] == "password"
    assert known["inner"]["properties"]["enabled"]["x-acts"] == "not yet"
    assert known["inner"]["properties"]["maxAge"]["x-acts"] == "at once"
    assert known["inner"]["properties"]["maxAge"]["default"] == "1m0s"
    assert known["free"]["type"] == "object"


def test_durations_that_are_read_fit_and_others_do_not() -> None:
    schema = schema_of(Inner)["properties"]["maxAge"]
    for text in ("0", "10m", "1h30m", "500ms", "1.5s", ".5m"):
        jsonschema.validate(text, schema)
    for text in ("", "ten", "1 h", "-3s", "1d"):
        assert not jsonschema.Draft202012Validator(schema).is_valid(text), text


def test_sections_of_plugins_are_in_it() -> None:
    schema = schema_of(Farm, {"chat": Inner})
    assert set(schema["properties"]["plugins"]["properties"]["chat"]["properties"]) == {
        "enabled",
        "maxAge",
    }


def test_settings_are_listed_with_value_and_origin(tmp_path: Path) -> None:
    file = tmp_path / "farm.yaml"
    file.write_text("needed: x\npassword: hunter2\ninner:\n  enabled: no\n  maxAge: 5s\n")
    environ = {"FLAMENCO_PORT": "81"}
    loaded = load_settings(file, Farm, overrides={"ratio": 1.0}, environ=environ)
    listed = {s.key: s for s in all_settings(loaded)}
    assert (listed["needed"].source, listed["needed"].where) == ("file", f"{file}:1")
    assert listed["inner.enabled"].where == f"{file}:4"
    assert listed["password"].value == MASK
    assert (listed["port"].source, listed["port"].where) == ("environment", "FLAMENCO_PORT")
    assert (listed["ratio"].source, listed["ratio"].where) == ("argument", "argument ratio")
    assert listed["level"].where == "default"
    assert listed["inner.maxAge"].value == "5s"
    assert without_effect(loaded) == ["inner.enabled"]
