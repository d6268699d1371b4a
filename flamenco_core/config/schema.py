"""The JSON schema of a settings class: for pages that edit settings, and for editors."""

from __future__ import annotations

from collections.abc import Container, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import attrs

from flamenco_core.config.duration import Duration
from flamenco_core.config.secrets import is_secret
from flamenco_core.config.values import (
    Acts,
    acts_of,
    help_of,
    is_section,
    options_of,
    schema_given,
    written,
)

__all__ = ["schema_of"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DURATION = {
    "type": "string",
    "pattern": r"^\s*\+?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)\s*$",
    "examples": ["90s", "10m0s", "1h30m0s"],
}
_LIMITS = {">=": "minimum", "<=": "maximum", ">": "exclusiveMinimum", "<": "exclusiveMaximum"}


def schema_of(
    kind: type[Any],
    sections: Mapping[str, type[Any]] | None = None,
    live: Container[str] = (),
) -> dict[str, Any]:
    """Return the JSON schema of settings class *kind*.

    *sections* are the settings classes of plugins, by plugin; they stand under
    ``plugins``, and changes of those in *live* count at once. ``x-acts`` says when a changed
    value counts. Unknown keys are allowed, as in the file.
    """
    schema = {"$schema": _DIALECT, **_section(kind, "after a restart")}
    if sections:
        schema["properties"]["plugins"] = {
            "type": "object",
            "description": "A section for each plugin.",
            "properties": {
                plugin: _section(section, "at once" if plugin in live else "after a restart")
                for plugin, section in sorted(sections.items())
            },
        }
    return schema


def _section(kind: type[Any], acts: Acts) -> dict[str, Any]:
    fields = options_of(kind)
    properties = {key: _setting(key, field, acts) for key, field in fields.items()}
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required := [key for key, field in fields.items() if field.default is attrs.NOTHING]:
        schema["required"] = required
    return schema


def _setting(key: str, field: attrs.Attribute[Any], acts: Acts) -> dict[str, Any]:
    acts = acts_of(field) or acts
    if is_section(field.type):
        schema = _section(field.type, acts)  # type: ignore[arg-type]
    else:
        schema = {**(schema_given(field) or _of_type(field.type)), **_limits(field.validator)}
        schema |= {"x-acts": acts, **_default(field)}
        if is_secret(key):
            schema |= {"format": "password", "writeOnly": True}
    return {**schema, "description": help_of(field)} if help_of(field) else schema


def _default(field: attrs.Attribute[Any]) -> dict[str, Any]:
    default: Any = field.default
    if default is attrs.NOTHING:
        return {}
    if hasattr(default, "factory"):
        default = default.factory()
    return {} if default is None else {"default": written(field, default)}


def _limits(validator: Any) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for part in getattr(validator, "_validators", (validator,)):
        word = _LIMITS.get(getattr(part, "compare_op", ""))
        # JSON's bounds are numbers; a duration is a text.
        if word and isinstance(part.bound, int | float):
            limits[word] = part.bound
    return limits


def _of_type(kind: Any) -> dict[str, Any]:
    origin, inside = get_origin(kind), get_args(kind)
    if type(None) in inside:
        return _of_type(Union[tuple(part for part in inside if part is not type(None))])  # noqa: UP007
    if origin is Literal:
        return {"enum": list(inside)}
    if origin in (tuple, list, set, frozenset):
        return {"type": "array", "items": _of_type(inside[0])}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object"}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    return dict(_PLAIN.get(kind, {}))


_PLAIN: dict[Any, dict[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    Path: {"type": "string"},
    Duration: _DURATION,
}
