"""The layers that settings come from: a file, the environment, the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flamenco_core.config.nodes import Items, Scalar, Section
from flamenco_core.config.values import is_section, options_of

__all__ = ["as_node", "from_arguments", "from_environment", "without_nulls"]

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)


def without_nulls(tree: Section) -> Section:
    """Return *tree* without keys that have no value: they mean the default, as in Flamenco."""
    kept = Section(where=tree.where)
    for key, node in tree.items():
        if isinstance(node, Scalar) and node.value is None:
            continue
        kept[key] = without_nulls(node) if isinstance(node, Section) else node
    return kept


def from_environment(environ: Mapping[str, str], prefix: str, kind: type[Any]) -> Section:
    """Return what the variables that start with *prefix* say about settings of *kind*."""
    tree = Section(where="the environment")
    for variable, text in sorted(environ.items()):
        if not variable.startswith(prefix):
            continue
        path = _spelled(variable.removeprefix(prefix).lower().split("__"), kind)
        if path is not None:
            _put(tree, path, _scalar(text, variable))
    return tree


def _spelled(words: list[str], kind: Any) -> list[str] | None:
    """Find the keys meant by the words of a variable; None if it is not a setting.

    Other programs use the prefix too, so an unknown name is nobody's mistake.
    """
    path: list[str] = []
    for word in words:
        if not is_section(kind):
            return [*path, *words[len(path) :]]
        keys = {key.lower(): (key, field.type) for key, field in options_of(kind).items()}
        if word not in keys:
            return None
        key, kind = keys[word]
        path.append(key)
    return path


def from_arguments(overrides: Mapping[str, Any]) -> Section:
    """Return arguments by key as a section; those that are None do not count."""
    tree = Section(where="the command line")
    for key, value in overrides.items():
        if value is not None:
            _put(tree, key.split("."), as_node(value, f"argument {key}"))
    return tree


def as_node(value: Any, where: str) -> Any:
    """Return a plain value as if it stood in a file at *where*; others as they are."""
    if isinstance(value, str):
        return _scalar(value, where)
    if isinstance(value, Mapping):
        return Section({key: as_node(item, where) for key, item in value.items()}, where)
    if isinstance(value, list | tuple | set | frozenset):
        return Items((as_node(item, where) for item in value), where)
    return Scalar(str(value), value, where) if isinstance(value, bool | int | float) else value


def _scalar(text: str, where: str) -> Scalar:
    value: Any = text
    if _INTEGER.fullmatch(text.strip()):
        value = int(text)
    else:
        try:
            value = float(text)
        except ValueError:
            value = text
    return Scalar(text, value, where)


def _put(tree: Section, path: list[str], node: Any) -> None:
    for word in path[:-1]:
        inner = tree.get(word)
        if not isinstance(inner, Section):
            inner = tree[word] = Section(where=getattr(node, "where", ""))
        tree = inner
    tree[path[-1]] = node
