"""Read a YAML file with care: small, shallow, plain data, each value with its line.

A settings file can be half-written, a hand-made bomb of aliases, or nested without end.
None of that may take the program down or hold it up; see also ``_check_shape``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent, NodeEvent

from flamenco_core.config.nodes import Items, Node, Scalar, Section
from flamenco_core.errors import ConfigError

__all__ = ["read_yaml", "yaml_text"]

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_NODES = 20_000
_TAG = "tag:yaml.org,2002:"
_NULLS = ("", "~", "null", "Null", "NULL")
_TRUTHS = {"true": True, "false": False}


def read_yaml(path: Path) -> Section:
    """Return the file's keys and values; raises `ConfigError` with file and line."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_BYTES // 1024} kB; is it a settings file?")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text; save the file as UTF-8") from error
    return yaml_text(text, str(path))


def yaml_text(text: str, name: str) -> Section:
    """Return the keys and values of YAML *text*; *name* stands in error messages."""
    node = _Reader(name).read(text)
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return Section(where=name)
    if not isinstance(node, Section):
        raise ConfigError(f"{name}:1: must consist of lines such as 'manager_name: Farm'")
    return node


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes = 0

    def read(self, text: str) -> Node | None:
        try:
            self._check_shape(text)
            root = _yaml().compose(text)
        except MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ConfigError(f"{self._name}:{line}: not valid YAML: {error.problem}") from error
        except YAMLError as error:
            raise ConfigError(f"{self._name}: not valid YAML: {error}") from error
        return None if root is None else self._build(root)

    def _check_shape(self, text: str) -> None:
        # The composer recurses, so depth and size are checked on the flat stream of
        # events first. Aliases are not followed yet here; `_build` counts them again.
        depth = count = 0
        for event in _yaml().parse(text):
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            count += isinstance(event, NodeEvent)
            if depth > MAX_DEPTH or count > MAX_NODES:
                self._refuse_shape(event.start_mark.line)

    def _refuse_shape(self, line: int) -> None:
        raise ConfigError(
            f"{self._name}:{line + 1}: too much for a settings file:"
            f" at most {MAX_NODES} values, nested {MAX_DEPTH} deep"
        )

    def _where(self, node: Any) -> str:
        return f"{self._name}:{node.start_mark.line + 1}"

    def _build(self, node: Any, depth: int = 0) -> Node:
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            self._refuse_shape(node.start_mark.line)
        if isinstance(node, MappingNode) and _tag(node) == "map":
            return self._section(node, depth)
        if isinstance(node, SequenceNode) and _tag(node) == "seq":
            parts = (self._build(item, depth + 1) for item in node.value)
            return Items(parts, self._where(node))
        return self._scalar(node)

    def _section(self, node: MappingNode, depth: int) -> Section:
        section = Section(where=self._where(node))
        inherited: dict[str, Any] = {}
        for key, value in node.value:
            built = self._build(value, depth + 1)
            if _tag(key) == "merge":
                parts = built if isinstance(built, Items) else [built]
                for part in parts:
                    inherited = {**(part if isinstance(part, Section) else {}), **inherited}
                continue
            if not isinstance(key, ScalarNode):
                raise ConfigError(f"{self._where(key)}: a key must be a plain text")
            if key.value in section:
                raise ConfigError(
                    f"{self._where(key)}: {key.value!r} is there twice; remove one of the two"
                )
            # The line of the key: that is where a person looks.
            section[key.value] = _at(built, self._where(key))
        return Section({**inherited, **section}, section.where)

    def _scalar(self, node: Any) -> Scalar:
        value = _value(_tag(node), node.value) if isinstance(node, ScalarNode) else NotImplemented
        if value is NotImplemented:
            raise ConfigError(
                f"{self._where(node)}: {node.tag!r} is not used in settings; plain values only"
            )
        return Scalar(node.value, value, self._where(node))


def _yaml() -> Any:
    return YAML(typ="safe", pure=True)


def _tag(node: Any) -> str:
    return str(node.tag).removeprefix(_TAG)


def _at(node: Node, where: str) -> Node:
    if isinstance(node, Scalar):
        return Scalar(node.text, node.value, where)
    node.where = where
    return node


def _value(tag: str, text: str) -> Any:
    if tag == "null" and text in _NULLS:
        return None
    if tag == "bool":
        return _TRUTHS.get(text.lower(), NotImplemented)
    if tag in ("int", "float"):
        return _number(tag, text.replace("_", ""))
    return text if tag in ("str", "timestamp") else NotImplemented


def _number(tag: str, text: str) -> Any:
    try:
        if tag == "float":
            return float(text.replace(".inf", "inf").replace(".nan", "nan"))
        return int(text) if text.lstrip("+-").isdigit() else int(text, 0)
    except ValueError:
        return text
