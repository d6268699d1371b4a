"""Change settings in their file and keep everything else in it, comments included."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from flamenco_core.config.duration import Duration
from flamenco_core.config.load import load_settings
from flamenco_core.config.yaml_file import read_yaml
from flamenco_core.errors import ConfigError
from flamenco_core.platform import write_private

__all__ = ["changed_text", "save_settings", "write_settings"]

_LINE_ENDS = frozenset("\x85\u2028\u2029")
_HEADER = """\
# Settings of Flamenco. The web interface and the set-up assistant change values in this
# file and keep everything else, such as your comments. The file before the last change
# is beside it; its name ends in "~".
"""


def save_settings(path: Path, changes: Mapping[str, Any], kind: type[Any]) -> None:
    """Write *changes* to the settings file, which is made if it is not there.

    Keys are as in the file; a value of None removes its key, a mapping changes keys
    inside of a section. The result is checked as *kind* before the old file is replaced,
    all or nothing.

    Raises `ConfigError` and leaves the file alone if the result would be wrong.
    """
    content = changed_text(path, changes)
    load_settings(path, kind, environ={}, text=content)
    write_settings(path, content)


def changed_text(path: Path, *changes: Mapping[str, Any]) -> str:
    """Return the settings file with *changes*, one after the other; all else stays.

    Raises `ConfigError` for a file that cannot be read.
    """
    document = _document(path)
    for change in changes:
        _apply(document, change)
    text = io.StringIO()
    _yaml().dump(document, text)
    return text.getvalue() if path.exists() else f"{_HEADER}{text.getvalue()}"


def write_settings(path: Path, content: str) -> None:
    """Replace the settings file; the one before is kept beside it.

    Both can be read by their owner only. Raises `ConfigError` when that does not work;
    the old file is still there then.
    """
    # A link stays a link: it is the file behind it that holds the settings.
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            backup = target.with_name(f"{target.name}~")
            write_private(backup, target.read_text(encoding="utf-8-sig"))
        write_private(target, content)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be written: {error.strerror}; let the Manager's user write to"
            " the file and its folder, or change the settings where they come from"
        ) from error


def _document(path: Path) -> Any:
    if not path.exists():
        return CommentedMap()
    read_yaml(path)  # refuses what is too large, too deep or half-written
    return _yaml().load(path.read_text(encoding="utf-8-sig")) or CommentedMap()


def _apply(document: Any, changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if value is None:
            document.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(document.get(key), Mapping):
            _apply(document[key], value)
        else:
            document[key] = _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Duration | Path):
        return str(value)
    if attrs.has(type(value)):
        raise TypeError(f"give plain values, not {value!r}")
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, str) and _LINE_ENDS.intersection(value):
        # Not every reader takes these for the end of a line, so they are written as escapes.
        return DoubleQuotedScalarString(value)
    return value


def _yaml() -> Any:
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
