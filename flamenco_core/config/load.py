"""Gather settings from file, environment and arguments, and report what nobody knows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, cast

import attrs

from flamenco_core.config.layers import from_arguments, from_environment, without_nulls
from flamenco_core.config.nodes import Section, Wrong, merged, plain
from flamenco_core.config.secrets import is_secret, masked
from flamenco_core.config.values import Acts, build, is_section, options_of
from flamenco_core.config.yaml_file import read_yaml, yaml_text
from flamenco_core.errors import ConfigError

__all__ = ["Loaded", "Source", "UnknownKey", "in_words", "load_settings", "unknown_keys"]

T = TypeVar("T")
S = TypeVar("S")

Source = Literal["default", "file", "environment", "argument"]


@attrs.frozen(kw_only=True)
class UnknownKey:
    """A key that nobody asked for: perhaps misspelt, perhaps of a plugin that is not here."""

    key: str
    where: str
    nearest: str | None = None

    def __str__(self) -> str:
        hint = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        return f"{self.where}: unknown setting {self.key!r}{hint}"


@attrs.frozen(kw_only=True)
class _Origin:
    """What settings are made of, besides the file."""

    overrides: Mapping[str, Any]
    env_prefix: str
    environ: Mapping[str, str] | None


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
    notes: tuple[str, ...] = ()
    """What people should know about how the file was read."""
    _kind: type[T] = attrs.field(repr=False)
    _tree: Section = attrs.field(repr=False)
    _origin: _Origin = attrs.field(repr=False)
    _sections: dict[str, type[Any]] = attrs.field(factory=dict, repr=False)
    live: set[str] = attrs.field(factory=set, repr=False)
    """The plugins that take a change of their section at work."""

    def source_of(self, key: str) -> Source:
        """Say where a setting's value is from; sub-keys are written ``shaman.enabled``."""
        return self.sources.get(key, "default")

    def where_of(self, key: str) -> str:
        """Say where a value stands: ``file:line``, a variable, an argument, or ``default``."""
        node: Any = self._tree
        for word in key.split("."):
            if not isinstance(node, Section) or word not in node:
                return "default"
            node = node[word]
        return getattr(node, "where", "") or self.source_of(key)

    @property
    def sections(self) -> Mapping[str, type[Any]]:
        """The settings classes of the plugins that have taken their section, by plugin."""
        return self._sections

    def again(self, text: str | None = None) -> Loaded[T]:
        """Read the same sources once more, with *text* in place of the file if it is given.

        Sections that plugins have taken are read as well, so that their mistakes show.
        Raises `ConfigError`, with everything that is wrong.
        """
        fresh = load_settings(self.path, self._kind, text=text, **_fields(self._origin))
        fresh.live |= self.live
        for plugin, kind in self._sections.items():
            fresh.section(plugin, kind)
        return fresh

    def acts_of(self, plugin: str) -> Acts:
        """Say when a change of a plugin's section counts, where it says nothing itself."""
        return "at once" if plugin in self.live else "after a restart"

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
                raise ConfigError(in_words([wrong], ("plugins", plugin)))
        return merged(Section(), merged(*nodes) if len(nodes) == 2 else (nodes or [Section()])[0])

    def _own_sections(self) -> Section:
        found = self._tree.get("plugins")
        return found if isinstance(found, Section) else Section()

    def unknown(self) -> list[UnknownKey]:
        """Return the keys that nobody has asked for up to now.

        Ask after all plugins have taken their sections.
        """
        found = list(unknown_keys(self._tree, self._kind, ()))
        found = [unknown for unknown in found if unknown.key not in self._sections]
        for plugin, kind in self._sections.items():
            found += unknown_keys(self._section_node(plugin), kind, ("plugins", plugin))
        return found


def load_settings(
    path: Path | None,
    kind: type[T],
    *,
    overrides: Mapping[str, Any] | None = None,
    env_prefix: str = "FLAMENCO_",
    environ: Mapping[str, str] | None = None,
    text: str | None = None,
) -> Loaded[T]:
    """Read the settings of attrs class *kind*.

    A *path* that does not exist, or None, means defaults. *overrides* are arguments by
    key; those that are None do not count, and ``shaman.enabled`` reaches into a section.
    ``FLAMENCO_SHAMAN__ENABLED`` is the same in the environment. A method ``rooted(folder)``
    of *kind* may return settings whose paths start from the file's folder, and a static
    one ``upgraded(tree)`` what a file of an older format means, and notes about that. With
    *text* that is read in place of the file.

    Raises `ConfigError`, with everything that is wrong.
    """
    variables = os.environ if environ is None else environ
    exists = text is not None or (path is not None and path.exists())
    stated, notes = _upgraded(_file(path, text) if exists else Section(), kind)
    layers: list[tuple[Source, Section]] = [
        ("file", stated),
        ("environment", from_environment(variables, env_prefix, kind)),
        ("argument", from_arguments(overrides or {})),
    ]
    tree = Section()
    sources: dict[str, Source] = {}
    for source, layer in layers:
        given = without_nulls(layer)
        tree = merged(tree, given)
        sources.update(dict.fromkeys(_keys(given), source))
    folder = (path.parent if path is not None else Path()).absolute()
    settings = _rooted(_built(tree, kind, ()), folder)
    return Loaded(
        settings=settings,
        path=path,
        folder=folder,
        exists=exists,
        sources=sources,
        notes=notes,
        kind=kind,
        tree=tree,
        origin=_Origin(overrides=overrides or {}, env_prefix=env_prefix, environ=environ),
    )


def _file(path: Path | None, text: str | None) -> Section:
    name = path or Path("settings")
    return read_yaml(name) if text is None else yaml_text(text, str(name))


def _upgraded(file: Section, kind: type[Any]) -> tuple[Section, tuple[str, ...]]:
    upgraded = getattr(kind, "upgraded", None)
    if upgraded is None:
        return file, ()
    try:
        return cast("tuple[Section, tuple[str, ...]]", upgraded(file))
    except Wrong as wrong:
        raise ConfigError(in_words([wrong])) from wrong


def _fields(origin: _Origin) -> dict[str, Any]:
    return {field.name: getattr(origin, field.name) for field in attrs.fields(_Origin)}


def _built(tree: Section, kind: type[S], path: tuple[str, ...]) -> S:
    settings, problems = build(tree, kind)
    if problems:
        raise ConfigError(in_words(problems, path))
    return cast("S", settings)


def _rooted(settings: S, folder: Path) -> S:
    rooted = getattr(settings, "rooted", None)
    return cast("S", rooted(folder)) if rooted else settings


def in_words(problems: Iterable[Wrong], path: tuple[str, ...] = ()) -> str:
    """Say what is wrong, a line each: file, line, key, what is expected, what is there."""
    lines = []
    for problem in problems:
        where = getattr(problem.node, "where", "") or "settings"
        key = ".".join((*path, *problem.path))
        value = plain(problem.node)
        if value is None:
            shown = ""
        elif is_secret(key):
            shown = "; the value is not shown"
        else:
            shown = f"; it is {masked(repr(value))[:80]}"
        # The checks of attrs say it themselves, at the end.
        expected = problem.expected.removesuffix(f": {value}")
        lines.append(f"{where}: {key}: {expected}{shown}")
    return "\n".join(lines)


def unknown_keys(tree: Section, kind: type[Any], path: tuple[str, ...]) -> Iterator[UnknownKey]:
    """Yield the keys of *tree*, which stands at *path*, that *kind* does not have."""
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
            yield from unknown_keys(node, cast("type[Any]", inner), (*path, key))


def _keys(tree: Section, path: tuple[str, ...] = ()) -> Iterator[str]:
    for key, node in tree.items():
        yield ".".join((*path, key))
        if isinstance(node, Section):
            yield from _keys(node, (*path, key))
