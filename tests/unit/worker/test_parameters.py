from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from flamenco_core.worker.parameters import build


@attrs.frozen
class Inner:
    x: int


@attrs.frozen(kw_only=True)
class Kind:
    text: str
    count: int = 0
    share: float = 0.5
    flag: bool = False
    names: list[str] = attrs.field(factory=list)
    pair: tuple[int, ...] = ()
    mixed: list[str | int | float | bool] = attrs.field(factory=list)
    anything: Any = None
    path: Path | None = None
    word: Literal["a", "b"] = "a"
    table: dict[str, int] = attrs.field(factory=dict)
    inner: Inner | None = None
    exe_args: str = attrs.field(default="", alias="exeArgs")
    hidden: int = attrs.field(init=False, default=3)


def made(**given: Any) -> Kind:
    return build(Kind, {"text": "t", **given})


@pytest.mark.parametrize(
    ("name", "value", "result"),
    [
        ("count", 3, 3),
        ("share", 3, 3.0),
        ("share", 2.5, 2.5),
        ("flag", True, True),
        ("names", ["a", "b"], ["a", "b"]),
        ("names", [], []),
        ("pair", [1, 2], (1, 2)),
        ("mixed", ["-f", 24, 23.976, True], ["-f", 24, 23.976, True]),
        ("anything", {"a": [1]}, {"a": [1]}),
        ("path", "/render", Path("/render")),
        ("path", None, None),
        ("word", "b", "b"),
        ("table", {"a": 1}, {"a": 1}),
        ("inner", {"x": 1}, Inner(1)),
    ],
)
def test_right_values_are_taken(name: str, value: Any, result: Any) -> None:
    assert getattr(made(**{name: value}), name) == result


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("text", 3, 'parameter "text" has invalid value 3: must be a text'),
        ("text", None, 'parameter "text" has invalid value null: must be a text'),
        ("count", "3", 'parameter "count" has invalid value "3": must be a whole number'),
        ("count", 3.0, 'parameter "count" has invalid value 3.0: must be a whole number'),
        ("count", True, 'parameter "count" has invalid value true: must be a whole number'),
        ("share", "1", 'parameter "share" has invalid value "1": must be a number'),
        ("share", True, 'parameter "share" has invalid value true: must be a number'),
        ("flag", 1, 'parameter "flag" has invalid value 1: must be true or false'),
        ("names", "abc", 'parameter "names" has invalid value "abc": must be a list'),
        ("names", [1], 'parameter "names" has invalid value [1]: must be a text'),
        ("pair", {"a": 1}, 'parameter "pair" has invalid value {"a":1}: must be a list'),
        ("mixed", [None], 'parameter "mixed" has invalid value [null]'),
        ("path", 3, 'parameter "path" has invalid value 3'),
        ("word", "c", 'parameter "word" has invalid value "c"'),
        ("inner", {"x": 1, "y": 2}, 'parameter "inner" has invalid value'),
        ("exe_args", "", 'there is no parameter "exe_args" (there are: text, count'),
        ("hidden", 3, 'there is no parameter "hidden"'),
    ],
)
def test_wrong_values_are_named(name: str, value: Any, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        made(**{name: value})


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(ValueError, match='mandatory parameter "text" is missing'):
        build(Kind, {})


def test_the_alias_is_the_name_on_the_wire() -> None:
    assert made(exeArgs="-b").exe_args == "-b"


def test_long_values_are_shown_in_part() -> None:
    with pytest.raises(ValueError, match="xxx…") as caught:
        made(count="x" * 100_000)
    assert len(str(caught.value)) < 200
