"""Gather settings from file, environment and arguments, and report what nobody knows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, cast

import attrs

from flamenco_core.config.nodes import Items, Scalar, Section, Wrong, merged, plain
from flamenco_core.config.values import build, is_section, options_of
from flamenco_core.config.yaml_file import read_yaml
from flamenco_core.errors import ConfigError

__all__ = ["Loaded", "Source", "UnknownKey", "load_settings"]

T = TypeVar("T")
S = TypeVar("S")

Source = Literal["default", "file", "environment", "argument"]

_SECRET = re.compile("password|secret|token|credential", re.IGNORECASE)
_USERINFO = re.compile(r"(://[^/@:]*:)[^/@]*@")
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)


@attrs.frozen(kw_only=True)
class UnknownKey:
    """A key that nobody asked for: perhaps misspelt, perhaps of a plugin that is not here."""

    key: str
    where: str
    nearest: str | None = None

    def __str__(self) -> str:
        hint = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        return f"{self.where}: unknown setting {self.key!r}{hint}"


@attrs.define(kw_only=True)
class Loaded(Generic[T]):
    """Settings, and how they came about.

    ``sources`` says for each setting that is not the default who gave it. ``folder`` is
    what relative paths start from: the settings file's.
    """

    settings: T
    path: Path | None
    folder: Path
    exists: bool
    sources: Mapping[str, Source]
    _kind: type[T] = attrs.field(repr=False)
    _tree: Section = attrs.field(repr=False)
    _sections: dict[str, type[Any]] = attrs.field(factory=dict, repr=False)

    def source_of(self, key: str) -> Source:
        """Say where a setting's value is from; sub-keys are written ``shaman.enabled``."""
        return self.sources.get(key, "default")

    def section(self, plugin: str, kind: type[S]) -> S:
        """Return a plugin's own settings, as an instance of its attrs class *kind*.

        They stand under ``plugins:`` and then the plugin's name; a top-level key of that
        name, as Flamenco has for ``shaman``, is laid under them.

        Raises `ConfigError` for a wrong value.
        """
        self._sections[plugin] = kind
        return _rooted(_built(self._section_node(plugin), kind, ("plugins", plugin)), self.folder)

    def _section_node(self, plugin: str) -> Section:
        below, above = self._tree.get(plugin), self._own_sections().get(plugin)
        nodes = [node for node in (below, above) if node is not None]
        for node in nodes:
            if not isinstance(node, Section):
                wrong = Wrong("must be a section: lines of 'key: value', indented", node)
                raise ConfigError(_in_words([wrong], ("plugins", plugin)))
        return merged(Section(), merged(*nodes) if len(nodes) == 2 else (nodes or [Section()])[0])

    def _own_sections(self) -> Section:
        found = self._tree.get("plugins")
        return found if isinstance(found, Section) else Section()

    def unknown(self) -> list[UnknownKey]:
        """Return the keys that nobody has asked for up to now.

        Ask after all plugins have taken their sections.
        """
        found = list(_unknown(self._tree, self._kind, ()))
        found = [unknown for unknown in found if unknown.key not in self._sections]
        for plugin, kind in self._sections.items():
            found += _unknown(self._section_node(plugin), kind, ("plugins", plugin))
        return found


def load_settings(
    path: Path | None,
    kind: type[T],
    *,
    overrides: Mapping[str, Any] | None = None,
    env_prefix: str = "FLAMENCO_",
    environ: Mapping[str, str] | None = None,
) -> Loaded[T]:
    """Read the settings of attrs class *kind*.

    A *path* that does not exist, or None, means defaults. *overrides* are arguments by
    key; those that are None do not count, and ``shaman.enabled`` reaches into a section.
    ``FLAMENCO_SHAMAN__ENABLED`` is the same in the environment. A method ``rooted(folder)``
    of *kind* may return settings whose paths start from the file's folder.

    Raises `ConfigError`, with everything that is wrong.
    """
    exists = path is not None and path.exists()
    file = read_yaml(path) if path is not None and exists else Section()
    variables = _from_environment(os.environ if environ is None else environ, env_prefix, kind)
    arguments = _from_arguments(overrides or {})
    layers: list[tuple[Source, Section]] = [
        ("file", file),
        ("environment", variables),
        ("argument", arguments),
    ]
    tree = Section()
    sources: dict[str, Source] = {}
    for source, layer in layers:
        stated = _without_nulls(layer)
        tree = merged(tree, stated)
        sources.update(dict.fromkeys(_keys(stated), source))
    folder = (path.parent if path is not None else Path()).absolute()
    settings = _rooted(_built(tree, kind, ()), folder)
    return Loaded(
        settings=settings,
        path=path,
        folder=folder,
        exists=exists,
        sources=sources,
        kind=kind,
        tree=tree,
    )


def _built(tree: Section, kind: type[S], path: tuple[str, ...]) -> S:
    settings, problems = build(tree, kind)
    if problems:
        raise ConfigError(_in_words(problems, path))
    return cast("S", settings)


def _rooted(settings: S, folder: Path) -> S:
    rooted = getattr(settings, "rooted", None)
    return cast("S", rooted(folder)) if rooted else settings


def _in_words(problems: list[Wrong], path: tuple[str, ...]) -> str:
    lines = []
    for problem in problems:
        where = getattr(problem.node, "where", "") or "settings"
        key = ".".join((*path, *problem.path))
        value = plain(problem.node)
        if value is None:
            shown = ""
        elif _SECRET.search(key):
            shown = "; the value is not shown"
        else:
            shown = "; it is " + _USERINFO.sub(r"\1***@", repr(value))[:80]
        lines.append(f"{where}: {key}: {problem.expected}{shown}")
    return "\n".join(lines)


def _unknown(tree: Section, kind: type[Any], path: tuple[str, ...]) -> Iterator[UnknownKey]:
    known = options_of(kind)
    for key, node in tree.items():
        if key not in known:
            close = get_close_matches(key, known, n=1)
            yield UnknownKey(
                key=".".join((*path, key)),
                where=getattr(node, "where", ""),
                nearest=".".join((*path, close[0])) if close else None,
            )
        elif isinstance(node, Section) and is_section(inner := known[key].type):
            yield from _unknown(node, cast("type[Any]", inner), (*path, key))


def _keys(tree: Section, path: tuple[str, ...] = ()) -> Iterator[str]:
    for key, node in tree.items():
        yield ".".join((*path, key))
        if isinstance(node, Section):
            yield from _keys(node, (*path, key))


def _without_nulls(tree: Section) -> Section:
    # "key:" with nothing behind it means the default, as in Flamenco.
    kept = Section(where=tree.where)
    for key, node in tree.items():
        if isinstance(node, Scalar) and node.value is None:
            continue
        kept[key] = _without_nulls(node) if isinstance(node, Section) else node
    return kept


def _from_environment(environ: Mapping[str, str], prefix: str, kind: type[Any]) -> Section:
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


def _from_arguments(overrides: Mapping[str, Any]) -> Section:
    tree = Section(where="the command line")
    for key, value in overrides.items():
        if value is not None:
            _put(tree, key.split("."), _argument(value, f"argument {key}"))
    return tree


def _argument(value: Any, where: str) -> Any:
    if isinstance(value, str):
        return _scalar(value, where)
    if isinstance(value, Mapping):
        return Section({key: _argument(item, where) for key, item in value.items()}, where)
    if isinstance(value, list | tuple | set | frozenset):
        return Items((_argument(item, where) for item in value), where)
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
