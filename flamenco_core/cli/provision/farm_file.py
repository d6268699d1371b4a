"""A farm as a file says it should be: tags, workers, variables and settings.

What the file does not mention is nobody's business here. Whatever is wrong with it is said
at once, each with its line, before anything is changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import attrs

from flamenco_core.cli.provision.sleep import read_sleep
from flamenco_core.config import Section, Wrong, option
from flamenco_core.config.layers import without_nulls
from flamenco_core.config.load import UnknownKey, in_words, unknown_keys
from flamenco_core.config.nodes import Scalar, plain
from flamenco_core.config.values import build, is_section, options_of, written
from flamenco_core.config.yaml_file import read_yaml
from flamenco_core.errors import ConfigError
from flamenco_core.manager.settings import ManagerSettings
from flamenco_core.manager.variables import read_variables, variables_as_written
from flamenco_core.wire.sleep import WorkerSleepSchedule

__all__ = ["FarmFile", "TagWish", "WorkerWish", "read_farm_file"]

T = TypeVar("T")


@attrs.frozen
class TagWish:
    """A worker tag; what is `None` stays as it is."""

    description: str | None = option(None, "What people read about it.")
    sleep: WorkerSleepSchedule | None = option(
        None, "When workers with it sleep that have no schedule of their own.", read=read_sleep
    )


@attrs.frozen(kw_only=True)
class WorkerWish:
    """A worker; what is `None` stays as it is."""

    tags: tuple[str, ...] | None = option(None, "All of its tags, by name.")
    sleep: WorkerSleepSchedule | None = option(None, "When it sleeps.", read=read_sleep)


@attrs.frozen(kw_only=True)
class FarmFile:
    """What a file says; a part that it does not have is `None`.

    ``settings`` and ``variables`` are as the API takes them, ``where`` has the line of each
    key, such as ``workers.render-01``.
    """

    path: Path
    tags: Mapping[str, TagWish] | None
    workers: Mapping[str, WorkerWish] | None
    variables: Mapping[str, Any] | None
    settings: Mapping[str, Any] | None
    where: Mapping[str, str] = attrs.field(repr=False)

    def line_of(self, key: str) -> str:
        """Return file and line of a key, or of the nearest one around it."""
        while key and key not in self.where:
            key = key.rpartition(".")[0]
        return self.where.get(key, str(self.path))


def read_farm_file(path: Path) -> FarmFile:
    """Read a file; raises `ConfigError` with everything that is wrong in it."""
    tree = read_yaml(path)
    reader = _Reader(tree)
    found = FarmFile(
        path=path,
        tags=reader.named("tags", TagWish, _as_tag),
        workers=reader.named("workers", WorkerWish),
        variables=reader.variables(),
        settings=reader.settings(),
        where=dict(_lines(tree, "")),
    )
    reader.finish()
    return found


@attrs.frozen
class _Parts:
    """The keys that a file may have."""

    tags: Any = None
    workers: Any = None
    variables: Any = None
    settings: Any = None


@attrs.define
class _Reader:
    """Reads one part after the other and gathers what is wrong."""

    _tree: Section
    _wrong: list[Wrong] = attrs.field(factory=list)
    _unknown: list[UnknownKey] = attrs.field(factory=list)

    def named(self, key: str, kind: type[T], tidy: Any = lambda node: node) -> dict[str, T] | None:
        """Return the sections of *kind* under *key*, by name; one may be empty."""
        section = self._section(key)
        if section is None:
            return None
        found = {}
        for name, node in section.items():
            part = tidy(_filled(node))
            if isinstance(part, Section):
                part = without_nulls(part)
            wish, wrong = build(part, kind)
            self._wrong += [problem.under(name).under(key) for problem in wrong]
            if isinstance(part, Section):
                self._unknown += unknown_keys(part, kind, (key, name))
            if wish is not None:
                found[name] = wish
        return found

    def variables(self) -> dict[str, Any] | None:
        """Return the variables as the API has them."""
        section = self._section("variables")
        try:
            return None if section is None else variables_as_written(read_variables(section))
        except Wrong as wrong:
            self._wrong.append(wrong.under("variables"))
            return None

    def settings(self) -> dict[str, Any] | None:
        """Return the settings that are stated, as the API takes them; null is the default."""
        section = self._section("settings")
        if section is None:
            return None
        if "variables" in section:
            beside = "belong beside 'settings', not into it; move them one level up"
            self._wrong.append(Wrong(beside, section["variables"], ("settings", "variables")))
        self._unknown += unknown_keys(section, ManagerSettings, ("settings",))
        settings, wrong = build(without_nulls(section), ManagerSettings)
        self._wrong += [problem.under("settings") for problem in wrong]
        return _stated(section, settings) if settings is not None else None

    def _section(self, key: str) -> Section | None:
        node = _filled(self._tree[key]) if key in self._tree else None
        if node is None or isinstance(node, Section):
            return node
        self._wrong.append(Wrong("must be a section: names, and what they mean", node, (key,)))
        return None

    def finish(self) -> None:
        """Raise `ConfigError` if anything was wrong."""
        self._unknown += unknown_keys(self._tree, _Parts, ())
        problems = [*in_words(self._wrong).splitlines(), *map(str, self._unknown)]
        if problems:
            raise ConfigError("\n".join(sorted(problems, key=_line_number)))


def _line_number(problem: str) -> int:
    found = re.search(r":(\d+): ", problem)
    return int(found[1]) if found else 0


def _filled(node: Any) -> Any:
    """Take a key without a value for an empty section: ``gpu:``."""
    empty = isinstance(node, Scalar) and node.value is None
    return Section(where=node.where) if empty else node


def _as_tag(node: Any) -> Any:
    """Let ``gpu: Words`` mean ``gpu: {description: Words}``."""
    return Section({"description": node}, node.where) if isinstance(node, Scalar) else node


def _stated(section: Section, settings: Any) -> dict[str, Any]:
    """Return what *section* states; texts and numbers as the settings understand them."""
    fields = options_of(type(settings))
    found: dict[str, Any] = {}
    for key, node in section.items():
        field = fields.get(key)
        value = getattr(settings, field.name) if field else None
        if field is None or (isinstance(node, Scalar) and node.value is None):
            found[key] = None
        elif is_section(field.type) and isinstance(node, Section):
            found[key] = _stated(node, value)
        else:
            found[key] = plain(node) if key == "plugins" else written(field, value)
    return found


def _lines(node: Any, key: str) -> Any:
    if key:
        yield key, getattr(node, "where", "")
    for name, part in node.items() if isinstance(node, Section) else ():
        yield from _lines(part, f"{key}.{name}" if key else name)
