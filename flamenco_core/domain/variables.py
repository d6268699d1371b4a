"""Put variables into texts, and recognize their values in paths.

A *one-way* variable is a text for ``{name}``, such as the path of Blender. A *two-way*
variable is one folder under the names it has on different platforms: a path of the
Manager's platform is translated for a worker, and a path handed in is turned into
``{name}`` so that every platform can find it.

Unlike Flamenco 3, a value matches whole path components only (``/mnt/render`` is no
prefix of ``/mnt/render-old``), the longest value wins, and texts at any depth of a
command's parameters are expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from flamenco_core.offers.variable import Variable

__all__ = ["Resolved", "VariableTable"]

_SEPARATORS = "/\\"
_DRIVE_WITHOUT_ROOT = re.compile(r"^([A-Za-z]:)(?![\\/])")
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
# A client can send lists in lists without end; deeper than this is left as it is.
_MAX_DEPTH = 100
# Platform words come from clients, so the number of prepared plans needs a limit.
_MAX_PLANS = 64

T = TypeVar("T")


class Resolved(NamedTuple):
    """A variable's value for one audience and platform."""

    value: str
    is_twoway: bool


class VariableTable:
    """All variables of a farm, ready to be used for any audience and platform.

    *platform* is the Manager's own, as Go calls it: ``linux``, ``windows``, ``darwin``.
    Of variables with one name the last counts, and of values for one slot as well.
    """

    def __init__(self, variables: Iterable[Variable], platform: str) -> None:
        self.platform = platform
        self._variables = {variable.name: variable for variable in variables}
        self._plans: dict[tuple[str, str], _Plan] = {}
        self._recognizers: dict[str, _Prefixes] = {}

    @property
    def names(self) -> dict[str, bool]:
        """The names of all variables, each with whether it is two-way."""
        return {name: variable.is_twoway for name, variable in self._variables.items()}

    def values_for(self, audience: str, platform: str) -> dict[str, Resolved]:
        """Return what each variable is for *audience* on *platform*, by name.

        A value of exactly this platform wins over one for ``all`` platforms. Variables
        without any value for it are left out. ``{other}`` inside a value is replaced.
        """
        values = self._stated(audience, platform)
        return {
            name: Resolved(_nested(value, values, {name}), twoway)
            for name, (value, twoway) in values.items()
        }

    def expand(self, value: T, audience: str, platform: str) -> T:
        """Expand every text in a JSON value; what does not change is the same object."""
        return self._plan(audience, platform).expand(value)  # type: ignore[no-any-return]

    def expand_text(self, text: str, audience: str, platform: str) -> str:
        """Replace each ``{name}``, and a two-way path of the Manager at the start.

        A text in which a two-way variable took part is a path, and gets the separators
        of *platform* throughout. Unknown names stay as they are.
        """
        return self._plan(audience, platform).expand_text(text)

    def recognize(self, text: str, platform: str) -> str:
        """Replace a two-way value at the start of *text* by ``{name}``.

        *platform* is the submitter's; the worker's values of it count. Letter case and
        the kind of slash do not matter, as in Flamenco 3. The rest is kept as it is.
        """
        if (prefixes := self._recognizers.get(platform)) is None:
            prefixes = _Prefixes(self.values_for("workers", platform), ignore_case=True)
            _remember(self._recognizers, platform, prefixes)
        name, end = prefixes.match(text)
        return f"{{{name}}}{text[end:]}" if name else text

    def _stated(self, audience: str, platform: str) -> dict[str, Resolved]:
        return {
            name: Resolved(_trimmed(value) if variable.is_twoway else value, variable.is_twoway)
            for name, variable in self._variables.items()
            if (value := _value_of(variable, audience, platform)) is not None
        }

    def _plan(self, audience: str, platform: str) -> _Plan:
        key = (audience, platform)
        if (plan := self._plans.get(key)) is None:
            stated = self._stated(audience, platform)
            resolved = self.values_for(audience, platform)
            here = self.values_for(audience, self.platform)
            translated = {name: here[name] for name in resolved.keys() & here.keys()}
            ignore_case = self.platform == "windows"
            plan = _Plan(stated, resolved, _Prefixes(translated, ignore_case), platform)
            _remember(self._plans, key, plan)
        return plan


class _Plan:
    """Everything that expanding for one audience and platform needs, computed once."""

    def __init__(
        self,
        stated: Mapping[str, Resolved],
        resolved: Mapping[str, Resolved],
        prefixes: _Prefixes,
        platform: str,
    ) -> None:
        oneway = {name: v for name, v in stated.items() if not v.is_twoway}
        # A two-way name inside of a one-way value is left for the second round, which
        # has to know that it was there.
        self._texts = {name: _nested(v.value, oneway, {name}) for name, v in oneway.items()}
        self._paths = {name: v.value for name, v in resolved.items() if v.is_twoway}
        self._text_names = _any_of(self._texts)
        self._path_names = _any_of(self._paths)
        self._prefixes = prefixes
        self._windows = platform == "windows"

    def expand(self, value: Any, depth: int = 0) -> Any:
        if isinstance(value, str):
            return self.expand_text(value)
        if depth >= _MAX_DEPTH:
            return value
        if isinstance(value, Mapping):
            items = {key: self.expand(item, depth + 1) for key, item in value.items()}
            return items if any(items[key] is not value[key] for key in items) else value
        if isinstance(value, list | tuple):
            parts = [self.expand(item, depth + 1) for item in value]
            changed = any(new is not old for new, old in zip(parts, value, strict=True))
            return type(value)(parts) if changed else value
        return value

    def expand_text(self, text: str) -> str:
        is_path = translated = False
        if "{" in text:
            text = self._text_names.sub(lambda match: self._texts[match[1]], text)
            first = self._path_names.match(text)
            text, count = self._path_names.subn(self._path_for, text)
            is_path, translated = count > 0, first is not None
        # A two-way name at the start has put the target's own path there already.
        if not translated:
            name, end = self._prefixes.match(text)
            if name:
                text, is_path = _join(self._paths[name], text[end:]), True
        return self._as_path(text) if is_path else text

    def _path_for(self, match: re.Match[str]) -> str:
        following = match.string[match.end() : match.end() + 1]
        value = self._paths[match[1]]
        # "{root}/x" with the value "/" must not become "//x".
        return value[:-1] if following and following in _SEPARATORS and value == "/" else value

    def _as_path(self, text: str) -> str:
        separator = "\\" if self._windows else "/"
        body = text.lstrip(_SEPARATORS)
        lead = separator * (len(text) - len(body))
        path = lead + separator.join(part for part in re.split(r"[\\/]+", body) if part)
        return _DRIVE_WITHOUT_ROOT.sub(r"\1\\", path) if self._windows else path


class _Prefixes:
    """Finds which two-way value a text starts with; the longest is tried first."""

    def __init__(self, values: Mapping[str, Resolved], ignore_case: bool) -> None:
        twoway = [(name, v.value) for name, v in values.items() if v.is_twoway and v.value]
        twoway.sort(key=lambda item: (-len(item[1]), item[0]))
        self._names = [name for name, _ in twoway]
        pattern = "|".join(f"({_whole_components(value)})" for _, value in twoway)
        flags = re.IGNORECASE if ignore_case else 0
        self._pattern = re.compile(pattern, flags) if twoway else None

    def match(self, text: str) -> tuple[str, int]:
        """Return the variable's name and where the rest begins; an empty name for none."""
        if self._pattern is None or (match := self._pattern.match(text)) is None:
            return "", 0
        return self._names[(match.lastindex or 1) - 1], match.end()


def _whole_components(value: str) -> str:
    body = value.lstrip(_SEPARATORS)
    lead = len(value) - len(body)
    # Exactly as many leading separators: "//" starts a path relative to the .blend file
    # in Blender and a network share on Windows, neither is inside of "/".
    start = rf"[\\/]{{{lead}}}(?![\\/])" if lead else ""
    if not body:
        return f"(?={start})"
    parts = [re.escape(part) for part in re.split(r"[\\/]+", body)]
    return start + r"[\\/]+".join(parts) + r"(?=[\\/]|$)"


def _value_of(variable: Variable, audience: str, platform: str) -> str | None:
    found: dict[str, str] = {}
    for value in variable.values:
        if (value.audience or "all") in ("all", audience):
            found[value.platform] = value.value
    return found.get(platform, found.get("all"))


def _trimmed(value: str) -> str:
    value = value.strip()
    return value.rstrip(_SEPARATORS) or value[:1]


def _nested(value: str, values: Mapping[str, Resolved], seen: set[str]) -> str:
    """Replace names in a value; a name inside of its own value stays as it is."""

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name in seen or name not in values:
            return match[0]
        return _nested(values[name].value, values, seen | {name})

    return _PLACEHOLDER.sub(replace, value) if "{" in value else value


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    words = "|".join(sorted(map(re.escape, names)))
    return re.compile(rf"\{{({words})\}}") if words else re.compile(r"(?!)()")


def _join(value: str, rest: str) -> str:
    return f"{value.rstrip(_SEPARATORS)}/{rest.lstrip(_SEPARATORS)}" if rest else value


def _remember(cache: dict[Any, Any], key: object, value: object) -> None:
    if len(cache) >= _MAX_PLANS:
        cache.clear()
    cache[key] = value
