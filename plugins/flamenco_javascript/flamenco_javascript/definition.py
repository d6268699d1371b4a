"""What a script says in JOB_TYPE, checked and made into settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from flamenco_core.errors import JobTypeError
from flamenco_core.offers import Setting

__all__ = ["Definition", "read_definition"]

TYPES = ("string", "int32", "float", "bool")
SUBTYPES = ("file_path", "dir_path", "file_name", "hashed_file_path")
VISIBLE = ("visible", "hidden", "submission", "web")

# By key of the script: how messages call the type, and what passes for it.
_KINDS: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "choices": ("a list of texts", list),
    "propargs": ("an object", dict),
    "eval": ("a text", str),
    "evalInfo": ("an object", dict),
    "required": ("true or false", bool),
    "editable": ("true or false", bool),
}


@attrs.frozen(kw_only=True)
class Definition:
    """A job type without its code."""

    label: str
    description: str
    settings: tuple[Setting, ...]


def read_definition(file: str, data: bytes) -> Definition:
    """Read JOB_TYPE as JSON; raises `JobTypeError` that names file, setting and cure."""
    try:
        job_type = msgspec.json.decode(data)
        return _definition(job_type)
    except (ValueError, RecursionError) as error:
        raise JobTypeError(f"{file}: JOB_TYPE: {error}") from None


def _definition(job_type: Any) -> Definition:
    if not isinstance(job_type, dict):
        raise ValueError("it must be an object")
    label = job_type.get("label")
    if not isinstance(label, str) or not label.strip():
        raise ValueError("it needs a label, which is a text for people")
    settings = job_type.get("settings")
    if settings is None:
        settings = []
    if not isinstance(settings, list):
        raise ValueError("settings must be a list")
    made = tuple(_setting(setting, place) for place, setting in enumerate(settings, 1))
    _all_different([setting.key for setting in made])
    return Definition(
        label=label, description=_text(job_type.get("description")) or "", settings=made
    )


def _setting(data: Any, place: int) -> Setting:
    if not isinstance(data, dict):
        raise ValueError(f"setting {place} must be an object")
    key = data.get("key")
    if not isinstance(key, str) or not key:
        raise ValueError(f"setting {place} needs a key, which is a text")
    for name, (words, kind) in _KINDS.items():
        if data.get(name) is not None and not isinstance(data[name], kind):
            raise ValueError(f"setting {key!r}: {name} must be {words}, not {data[name]!r:.60}")
    return Setting(
        key=key,
        type=_word(data, "type", TYPES, needed=True),
        subtype=_word(data, "subtype", SUBTYPES),
        visible=_word(data, "visible", VISIBLE),
        choices=_choices(key, data.get("choices")),
        propargs=data.get("propargs"),
        description=_text(data.get("description")),
        label=_text(data.get("label")),
        default=data.get("default"),
        eval=data.get("eval"),
        eval_info=data.get("evalInfo"),
        required=data.get("required"),
        editable=data.get("editable"),
    )


def _word(
    data: Mapping[str, Any], name: str, words: tuple[str, ...], *, needed: bool = False
) -> Any:
    """Return one of *words*; any other would break Blender's reading of all job types."""
    value = data.get(name)
    if value is None and not needed:
        return None
    if value not in words:
        allowed = ", ".join(words)
        raise ValueError(
            f"setting {data['key']!r}: {name} must be one of {allowed}; not {value!r:.60}"
        )
    return value


def _choices(key: str, choices: list[Any] | None) -> tuple[str, ...] | None:
    if choices is None:
        return None
    if not all(isinstance(choice, str) for choice in choices):
        raise ValueError(f"setting {key!r}: choices must be a list of texts")
    return tuple(choices)


def _text(value: Any) -> str | None:
    """Read a text for people; Flamenco takes anything there."""
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()


def _all_different(keys: list[str]) -> None:
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"there are two settings with the key {key!r}")
