"""``--set KEY=VALUE``: texts to values of the declared type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from math import isfinite
from pathlib import Path, PureWindowsPath
from typing import Any

from flamenco_core.errors import BadRequest
from flamenco_core.wire.job_types import AvailableJobSetting, AvailableJobType

__all__ = ["absolute", "given_values", "value_of"]

_YES = {"true", "yes", "on", "1"}
_NO = {"false", "no", "off", "0"}
_INT32 = 2**31
_WORDS = {"int32": "a whole number", "float": "a number", "bool": "true or false"}
_ON_DISK = {"file_path", "dir_path", "hashed_file_path"}


def given_values(
    pairs: Iterable[str], job_type: AvailableJobType, folder: Path
) -> dict[str, Any]:  # fmt: skip
    """Read all ``KEY=VALUE`` texts; *folder* is that of the Blender file.

    Raises `BadRequest` for an unknown key or a value of the wrong type.
    """
    known = {setting.key: setting for setting in job_type.settings}
    values: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise BadRequest(f"--set {pair}: write it as KEY=VALUE")
        if (setting := known.get(key.strip())) is None:
            raise BadRequest(_unknown(key.strip(), job_type.name, known))
        values[setting.key] = value_of(setting, text, folder)
    return values


def value_of(setting: AvailableJobSetting, text: str, folder: Path) -> Any:
    """Read one value; raises `BadRequest` that names the setting and its type."""
    try:
        value = _typed(setting, text)
    except (ValueError, OverflowError):
        words = _WORDS.get(setting.type, setting.type)
        raise BadRequest(f"--set {setting.key}: must be {words}, not {text!r}") from None
    if setting.choices and value not in setting.choices:
        raise BadRequest(
            f"--set {setting.key}: must be one of {', '.join(setting.choices)}; not {text!r}"
        )
    _check_range(setting, value)
    return absolute(value, folder) if setting.subtype in _ON_DISK else value


def _typed(setting: AvailableJobSetting, text: str) -> Any:
    match setting.type:
        case "int32":
            number = int(text)
            if not -_INT32 <= number < _INT32:
                raise ValueError(text)
            return number
        case "float":
            real = float(text)
            if not isfinite(real):
                raise ValueError(text)
            return real
        case "bool":
            if text.lower() not in _YES | _NO:
                raise ValueError(text)
            return text.lower() in _YES
    return text


def _check_range(setting: AvailableJobSetting, value: Any) -> None:
    limits: Mapping[str, Any] = setting.propargs or {}
    if setting.type not in ("int32", "float"):
        return
    if (low := limits.get("min")) is not None and value < low:
        raise BadRequest(f"--set {setting.key}: must be {low} or more, not {value}")
    if (high := limits.get("max")) is not None and value > high:
        raise BadRequest(f"--set {setting.key}: must be {high} or less, not {value}")


def absolute(path: str, folder: Path) -> str:
    """Make a path one that other machines can find, with ``/`` between its parts.

    ``//x`` is relative to *folder*, as in Blender; a path that begins with a variable
    such as ``{renders}`` stays as it is.
    """
    path = path.replace("\\", "/")
    if not path or path.startswith("{") or PureWindowsPath(path).drive:
        return path
    if path.startswith("//"):
        return (folder / path[2:]).as_posix()
    return Path(path).absolute().as_posix()


def _unknown(key: str, job_type: str, known: Mapping[str, object]) -> str:
    close = get_close_matches(key, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"it has: {', '.join(known) or 'none'}"
    return f"--set {key}: job type {job_type!r} has no such setting; {hint}"
