"""Turn what was written into typed values, or say what was expected.

Texts, numbers, truth values, durations, paths, lists and attrs classes are known;
everything else is handed over as plain Python values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import attrs
import cattrs

from flamenco_core.config.duration import Duration
from flamenco_core.config.nodes import Items, Scalar, Section, Wrong, plain

__all__ = [
    "Acts",
    "acts_of",
    "build",
    "help_of",
    "is_section",
    "key_of",
    "option",
    "options_of",
    "schema_given",
    "written",
]

T = TypeVar("T")

Acts = Literal["at once", "after a restart", "not yet"]
"""When a changed value counts; "not yet" is read and kept, but nothing uses it."""

_HELP, _KEY, _READ = "flamenco.help", "flamenco.key", "flamenco.read"
_WRITE, _ACTS, _SCHEMA = "flamenco.write", "flamenco.acts", "flamenco.schema"
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def option(
    default: Any = attrs.NOTHING,
    help: str = "",
    *,
    factory: Callable[[], Any] | None = None,
    key: str | None = None,
    read: Callable[[Any], Any] | None = None,
    write: Callable[[Any], Any] | None = None,
    validator: Any = None,
    acts: Acts | None = None,
    schema: Mapping[str, Any] | None = None,
    repr: bool = True,
) -> Any:
    """Declare one setting: its default, and a sentence for the reference page.

    *key* is its name in the file if that differs from the field's. *read* makes the value
    of what is written there; it raises `Wrong` with what it had expected; *write* is
    the other way. *validator* is one of attrs'. *acts* says when a change counts, for a
    section and all in it; *schema* is JSON schema for what the type does not tell. A secret
    says *repr* False: it stays out of logs and tracebacks.
    """
    metadata: dict[str, Any] = {_HELP: help, _KEY: key, _READ: read, _WRITE: write}
    metadata |= {_ACTS: acts, _SCHEMA: schema}
    if factory is not None:
        return attrs.field(factory=factory, metadata=metadata, validator=validator, repr=repr)
    return attrs.field(default=default, metadata=metadata, validator=validator, repr=repr)


def key_of(field: attrs.Attribute[Any]) -> str:
    """Return a setting's name in the file."""
    return field.metadata.get(_KEY) or field.name


def is_section(kind: Any) -> bool:
    """Say whether values of *kind* are sections with keys of their own."""
    return attrs.has(kind) and kind is not Duration


def help_of(field: attrs.Attribute[Any]) -> str:
    """Return the sentence for the reference page."""
    return str(field.metadata.get(_HELP, ""))


def acts_of(field: attrs.Attribute[Any]) -> Acts | None:
    """Return when a changed value counts; None if only what is around it says so."""
    acts: Acts | None = field.metadata.get(_ACTS)
    return acts


def written(field: attrs.Attribute[Any], value: Any) -> Any:
    """Return a setting's value as plain data, as it could stand in a file."""
    if write := field.metadata.get(_WRITE):
        return write(value)
    return _as_written(value)


def _as_written(value: Any) -> Any:
    if isinstance(value, Duration | Path):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if is_section(type(value)):
        return {
            key: written(f, getattr(value, f.name)) for key, f in options_of(type(value)).items()
        }
    if isinstance(value, Mapping):
        return {key: _as_written(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_as_written(item) for item in value]
    return value


def schema_given(field: attrs.Attribute[Any]) -> Mapping[str, Any] | None:
    """Return the JSON schema that was declared with a setting, if one was."""
    given: Mapping[str, Any] | None = field.metadata.get(_SCHEMA)
    return given


def options_of(cls: Any) -> dict[str, attrs.Attribute[Any]]:
    """Return the settings of a class by their names in the file, types resolved."""
    return {key_of(field): field for field in attrs.fields(attrs.resolve_types(cls)) if field.init}


def build(node: Any, kind: type[T]) -> tuple[T | None, list[Wrong]]:
    """Make *kind*, an attrs class, of a section; return it and all that is wrong."""
    if not isinstance(node, Section):
        return None, [Wrong("must be a section: lines of 'key: value', indented", node)]
    given: dict[str, Any] = {}
    problems: list[Wrong] = []
    for key, field in options_of(kind).items():
        if key not in node:
            if field.default is attrs.NOTHING:
                problems.append(Wrong("is missing; add it", Scalar("", None, node.where), (key,)))
            continue
        value, wrong = _field_value(node[key], field)
        problems += [problem.under(key) for problem in wrong]
        # `_meta` is a private name to attrs, which takes it as `meta`.
        given[field.alias or field.name] = value
    return (None if problems else kind(**given)), problems


def _field_value(node: Any, field: attrs.Attribute[Any]) -> tuple[Any, list[Wrong]]:
    try:
        if read := field.metadata.get(_READ):
            value = read(node)
        elif is_section(field.type):
            return build(node, field.type)  # type: ignore[arg-type]
        else:
            value = _converter.structure(node, field.type or Any)
        if field.validator is not None:
            field.validator(None, field, value)
    except Wrong as error:
        return None, [error]
    except (ValueError, TypeError) as error:
        return None, [Wrong(str(error).removeprefix(f"'{field.name}' "), node)]
    return value, []


# ------------------------------------------------------------------- kinds of values


def _text(node: Any, _: Any = None) -> str:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, str):
        return node
    raise Wrong("must be a text; put it in quotes", node)


def _truth(node: Any, _: Any) -> bool:
    value = node.value if isinstance(node, Scalar) else node
    if not isinstance(value, bool):
        # YAML 1.1, which Flamenco reads, has these words for it.
        value = _WORDS.get(node.text.lower()) if isinstance(node, Scalar) else None
    if value is None:
        raise Wrong("must be true or false", node)
    return bool(value)


def _whole_number(node: Any, _: Any) -> int:
    value = plain(node)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Wrong("must be a whole number", node)
    return value


def _number(node: Any, _: Any) -> float:
    value = plain(node)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong("must be a number", node)
    return float(value)


def _duration(node: Any, _: Any) -> Duration:
    if isinstance(node, Duration):
        return node
    try:
        found = Duration.parse(_text(node))
    except ValueError as error:
        raise Wrong("must be a duration such as 90s, 10m or 1h30m", node) from error
    if found.nanoseconds < 0:
        raise Wrong("must not be negative", node)
    return found


def _path(node: Any, _: Any) -> Path:
    if isinstance(node, Path):
        return node
    text = _text(node).strip()
    if not text:
        raise Wrong("must be a path; leave the key out for the default", node)
    return Path(text).expanduser()


def _list(node: Any, kind: Any) -> Any:
    item_kind = (get_args(kind) or (Any,))[0]
    if isinstance(node, Scalar):
        # From the environment and the command line: FLAMENCO_BLOCKED=a,b
        parts = (part.strip() for part in node.text.split(","))
        node = Items((Scalar(part, part, node.where) for part in parts if part), node.where)
    if not isinstance(node, list | tuple | set | frozenset):
        raise Wrong("must be a list, such as [a, b]", node)
    made = (_converter.structure(item, item_kind) for item in node)
    return (get_origin(kind) or kind)(made)


def _one_of(node: Any, kind: Any) -> Any:
    enum = isinstance(kind, type) and issubclass(kind, Enum)
    words = [member.value for member in kind] if enum else list(get_args(kind))
    for word in words:
        if word in (plain(node), getattr(node, "text", None)):
            return kind(word) if enum else word
    raise Wrong(f"must be one of {', '.join(map(str, words))}", node)


def _mapping(node: Any, kind: Any) -> Any:
    if not isinstance(node, Mapping):
        raise Wrong("must be a section: lines of 'key: value', indented", node)
    item_kind = (*get_args(kind), Any, Any)[1]
    return {key: _converter.structure(value, item_kind) for key, value in node.items()}


def _is(*origins: Any) -> Callable[[Any], bool]:
    return lambda kind: (get_origin(kind) or kind) in origins


_converter = cattrs.Converter(detailed_validation=False)
_converter.register_structure_hook_func(_is(object, Any), lambda node, _: plain(node))
_converter.register_structure_hook_func(_is(dict, Mapping), _mapping)
_converter.register_structure_hook_func(_is(tuple, list, set, frozenset), _list)
_converter.register_structure_hook_func(_is(Literal), _one_of)
_converter.register_structure_hook(Enum, _one_of)
_converter.register_structure_hook(str, _text)
# By itself, after str: an enum of texts is a text to singledispatch.
_converter.register_structure_hook(StrEnum, _one_of)
_converter.register_structure_hook(bool, _truth)
_converter.register_structure_hook(int, _whole_number)
_converter.register_structure_hook(float, _number)
_converter.register_structure_hook(Duration, _duration)
_converter.register_structure_hook(Path, _path)
