from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

import attrs
import pytest

from flamenco_core.wire.schema import Id, Limits, Schemas, Time


class Color(StrEnum):
    """What it looks like."""

    RED = "red"
    BLUE = "blue"


@attrs.frozen(kw_only=True)
class Door:
    """A door."""

    color: Color


@attrs.frozen(kw_only=True)
class House:
    """A house.

    With doors.
    """

    name: str
    doors: list[Door]
    floors: int = 1
    owner: str | None = None
    front: Door | None = None
    rooms: list[str] = attrs.field(factory=list)


@attrs.frozen
class Family:
    """A person, and whom they brought up."""

    name: str
    children: list[Family]


INT64 = {"type": "integer", "format": "int64"}


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (str, {"type": "string"}),
        (bool, {"type": "boolean"}),
        (float, {"type": "number"}),
        (int, INT64),
        (Any, {}),
        (object, {}),
        (dict, {"type": "object"}),
        (list[int], {"type": "array", "items": INT64}),
        (tuple[str, ...], {"type": "array", "items": {"type": "string"}}),
        (dict[str, Any], {"type": "object", "additionalProperties": True}),
        (Mapping[str, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Time, {"type": "string", "format": "date-time"}),
        (Id, {"type": "string", "format": "uuid"}),
        (str | None, {"type": "string"}),
        (str | int, {"anyOf": [{"type": "string"}, INT64]}),
        (Annotated[str, "For people."], {"type": "string", "description": "For people."}),
        (Annotated[list[str], Limits(minItems=1)], {**Schemas().written(list[str]), "minItems": 1}),
    ],
)
def test_types_as_schemas(kind: Any, schema: dict[str, Any]) -> None:
    assert Schemas().written(kind) == schema


def test_whole_numbers_that_are_read_have_64_bits() -> None:
    assert Schemas().read(int) == {**INT64, "minimum": -(2**63), "maximum": 2**63 - 1}
    few = Annotated[int, Limits(minimum=0, maximum=100)]
    assert Schemas().read(few) == {**INT64, "minimum": 0, "maximum": 100}


def test_a_class_is_a_schema_with_a_name() -> None:
    schemas = Schemas()
    assert schemas.written(House) == {"$ref": "#/components/schemas/House"}
    house = schemas.named["House"]
    assert house["description"] == "A house.\n\nWith doors."
    assert list(house["properties"]) == ["name", "doors", "floors", "owner", "front", "rooms"]
    assert schemas.named["Color"]["enum"] == ["red", "blue"]
    assert schemas.named.keys() == {"House", "Door", "Color"}


def test_what_is_written_lacks_only_what_is_none() -> None:
    schemas = Schemas()
    schemas.written(House)
    house = schemas.named["House"]
    assert house["required"] == ["name", "doors", "floors", "rooms"]
    assert "nullable" not in repr(house)
    assert "default" not in repr(house)


def test_what_is_read_needs_only_what_has_no_default() -> None:
    schemas = Schemas()
    schemas.read(House)
    house = schemas.named["House"]
    assert house["required"] == ["name", "doors"]
    assert house["properties"]["floors"]["default"] == 1
    assert house["properties"]["owner"] == {"type": "string", "nullable": True}
    front = {"allOf": [{"$ref": "#/components/schemas/Door"}], "nullable": True}
    assert house["properties"]["front"] == front


def test_what_is_both_is_two_schemas() -> None:
    schemas = Schemas()
    assert schemas.written(Door) == {"$ref": "#/components/schemas/Door"}
    assert schemas.read(Door) == {"$ref": "#/components/schemas/DoorInput"}
    assert schemas.read(Color) == schemas.written(Color)


def test_two_classes_of_one_name_are_told_apart() -> None:
    other = attrs.make_class("House", {"street": attrs.field(type=str)})
    schemas = Schemas()
    assert schemas.written(House) != schemas.written(other)
    assert schemas.named[f"{other.__module__}.House"]["properties"].keys() == {"street"}


def test_a_class_may_be_inside_of_itself() -> None:
    schemas = Schemas()
    schemas.written(Family)
    children = schemas.named["Family"]["properties"]["children"]
    assert children == {"type": "array", "items": {"$ref": "#/components/schemas/Family"}}
