"""Schemas of the API document, made from the types of the wire; OpenAPI 3.0's dialect.

Litestar's own are read off the signatures of handlers. Ours take the raw request and
answer bytes, which is faster, and a key without a value is left out rather than null.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

import attrs

__all__ = ["Id", "Limits", "Schema", "Schemas", "Time"]

Schema: TypeAlias = dict[str, Any]

_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    float: {"type": "number"},
    int: {"type": "integer", "format": "int64"},
    dict: {"type": "object"},
    list: {"type": "array", "items": {}},
}
_ARRAYS = {list, tuple, Sequence, Iterable}
_OBJECTS = {dict, Mapping}
_LARGEST = 2**63


@attrs.frozen(kw_only=True)
class Limits:
    """What a type alone does not say: ``Annotated[int, Limits(minimum=0)]``."""

    format: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    minLength: int | None = None
    minItems: int | None = None


Time: TypeAlias = Annotated[str, Limits(format="date-time")]
Id: TypeAlias = Annotated[str, Limits(format="uuid")]


class Schemas:
    """Makes schemas; those of classes and enums are kept in `named` and referred to.

    What the Manager reads may leave out whatever has a default, and may be null where it
    is optional; what it writes has everything but keys without a value. A class that is
    both written and read is two schemas: ask for those that are written first.
    """

    def __init__(self) -> None:
        self.named: dict[str, Schema] = {}
        self._names: dict[tuple[type, bool], str] = {}

    def written(self, kind: Any) -> Schema:
        """Return the schema of what the Manager answers."""
        return self._of(kind, reading=False)

    def read(self, kind: Any) -> Schema:
        """Return the schema of what the Manager is sent."""
        return self._of(kind, reading=True)

    def _of(self, kind: Any, *, reading: bool) -> Schema:
        origin, inside = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return _limited(self._of(inside[0], reading=reading), inside[1:])
        if origin in (Union, UnionType):
            return self._union(inside, reading=reading)
        if origin in _ARRAYS:
            return {"type": "array", "items": self._of(inside[0], reading=reading)}
        if origin in _OBJECTS:
            more = self._of(inside[1], reading=reading)
            return {"type": "object", "additionalProperties": more or True}
        if isinstance(kind, type) and (attrs.has(kind) or issubclass(kind, StrEnum)):
            return {"$ref": f"#/components/schemas/{self._name(kind, reading=reading)}"}
        return _plain(kind, reading=reading)

    def _union(self, kinds: tuple[Any, ...], *, reading: bool) -> Schema:
        schemas = [self._of(kind, reading=reading) for kind in kinds if kind is not NoneType]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        if not reading or NoneType not in kinds or not schema:
            return schema
        # What stands beside a reference does not count in this dialect.
        return {**({"allOf": [schema]} if "$ref" in schema else schema), "nullable": True}

    def _name(self, kind: type, *, reading: bool) -> str:
        is_enum = issubclass(kind, StrEnum)
        key = (kind, reading and not is_enum)
        if key in self._names:
            return self._names[key]
        name = kind.__name__ + ("Input" if key[1] and (kind, False) in self._names else "")
        if name in self.named:
            name = f"{kind.__module__}.{name}"
        self._names[key] = name
        self.named[name] = {}  # it may be inside of itself
        self.named[name] = _enum(kind) if is_enum else self._object(kind, reading=reading)
        return name

    def _object(self, kind: type, *, reading: bool) -> Schema:
        types = get_type_hints(kind, include_extras=True)
        properties, required = {}, []
        for field in attrs.fields(kind):
            schema = properties[field.name] = self._of(types[field.name], reading=reading)
            if _is_required(field, reading=reading):
                required.append(field.name)
            elif reading and isinstance(field.default, str | int):
                schema["default"] = field.default
        schema = {"type": "object", "description": _words(kind), "properties": properties}
        return {**schema, "required": required} if required else schema


def _is_required(field: attrs.Attribute[Any], *, reading: bool) -> bool:
    if reading:
        return field.default is attrs.NOTHING
    return field.default is not None


def _enum(kind: type[StrEnum]) -> Schema:
    words = [member.value for member in kind]
    return {"type": "string", "description": _words(kind), "enum": words}


def _words(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


def _plain(kind: Any, *, reading: bool) -> Schema:
    if get_origin(kind) is Literal:
        return {"type": "string", "enum": list(get_args(kind))}
    if kind is int and reading:
        return {**_PLAIN[int], "minimum": -_LARGEST, "maximum": _LARGEST - 1}
    return dict(_PLAIN.get(kind, {}))  # what is not known can be anything


def _limited(schema: Schema, notes: Iterable[Any]) -> Schema:
    more: Schema = {}
    for note in notes:
        if isinstance(note, str):
            more["description"] = note
        elif isinstance(note, Limits):
            more |= attrs.asdict(note, filter=lambda _, value: value is not None)
    return {"allOf": [schema], **more} if "$ref" in schema else {**schema, **more}
