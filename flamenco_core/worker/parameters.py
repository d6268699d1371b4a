"""Builds typed objects from plain data and names what is wrong with it.

Used for the parameters of commands and for plugins' sections of the settings. Strict:
``"3"`` is no number, ``1.5`` no whole one, and a key that nobody knows is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_origin, get_type_hints

import attrs
import cattrs
import msgspec
from cattrs.strategies import configure_union_passthrough

__all__ = ["build"]

T = TypeVar("T")

_converter = cattrs.Converter(detailed_validation=False, forbid_extra_keys=True)


def _exactly(kind: type, words: str) -> Any:
    def check(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise ValueError(f"must be {words}")
        return value

    return check


def _number(value: Any, _: Any) -> float:
    if type(value) not in (int, float):
        raise ValueError("must be a number")
    return float(value)


def _path(value: Any, _: Any) -> Path:
    if not isinstance(value, str):
        raise ValueError("must be a path")
    return Path(value)


def _is_sequence(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, Sequence) and origin is not str


def _list(kind: Any, converter: cattrs.Converter) -> Any:
    # Without this, a text is a list of its letters.
    inner = _plain.get_structure_hook(kind)

    def check(value: Any, cls: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise ValueError("must be a list")
        return inner(value, cls)

    return check


_plain = _converter.copy()
for _one in (_plain, _converter):
    for _kind, _words in ((str, "a text"), (int, "a whole number"), (bool, "true or false")):
        _one.register_structure_hook(_kind, _exactly(_kind, _words))
    _one.register_structure_hook(float, _number)
    _one.register_structure_hook(Path, _path)
    configure_union_passthrough(str | int | float | bool | None, _one)
_converter.register_structure_hook_factory(_is_sequence, _list)


def build(kind: type[T], given: Mapping[str, Any], word: str = "parameter") -> T:
    """Return an instance of the attrs class *kind*, made of *given*.

    A field goes by its alias, the name that it has as an argument. Raises `ValueError`
    that calls the wrong thing a *word* and names it.
    """
    fields = {f.alias or f.name: f for f in attrs.fields(kind) if f.init}  # type: ignore[arg-type]
    if unknown := sorted(set(given) - set(fields)):
        known = ", ".join(fields) or "none"
        raise ValueError(f'there is no {word} "{unknown[0]}" (there are: {known})')
    hints = get_type_hints(kind)
    values = {}
    for name, field in fields.items():
        if name in given:
            values[name] = _value(given[name], hints.get(field.name, Any), f'{word} "{name}"')
        elif field.default is attrs.NOTHING:
            raise ValueError(f'mandatory {word} "{name}" is missing')
    return kind(**values)


def _value(value: Any, kind: Any, what: str) -> Any:
    try:
        return _converter.structure(value, kind)
    # cattrs and its hooks raise many kinds; for the reader they are all one.
    except Exception as error:
        raise ValueError(f"{what} has invalid value {_shown(value)}: {error}") from error


def _shown(value: Any) -> str:
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, ValueError, msgspec.MsgspecError):
        text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
