"""Settings as they were written: every value still knows where it stands."""

from __future__ import annotations

from typing import Any

import attrs

__all__ = ["Items", "Node", "Scalar", "Section", "Wrong", "merged", "plain"]


@attrs.frozen
class Scalar:
    """One value: as it is spelled, as YAML understands it, and where it stands."""

    text: str
    value: Any
    where: str = ""


class Section(dict[str, Any]):
    """Keys and values; ``where`` is a file and line, a variable or an argument."""

    def __init__(self, items: Any = (), where: str = "") -> None:
        super().__init__(items)
        self.where = where


class Items(list[Any]):
    """A list; ``where`` is as in `Section`."""

    def __init__(self, items: Any = (), where: str = "") -> None:
        super().__init__(items)
        self.where = where


Node = Scalar | Section | Items


class Wrong(Exception):
    """One value is wrong: what was expected, where it stands, under which key."""

    def __init__(self, expected: str, node: object, path: tuple[str, ...] = ()) -> None:
        super().__init__(expected)
        self.expected = expected
        self.node = node
        self.path = path

    def under(self, key: str) -> Wrong:
        """Return the same, seen from one level further out."""
        return Wrong(self.expected, self.node, (key, *self.path))


def plain(node: Any) -> Any:
    """Return ordinary Python values."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(value) for value in node]
    return node


def merged(below: Section, above: Section) -> Section:
    """Lay one section over another; sections in both are merged, all else replaced."""
    result = Section(below, below.where or above.where)
    for key, value in above.items():
        known = result.get(key)
        both = isinstance(known, Section) and isinstance(value, Section)
        result[key] = merged(known, value) if both else value  # type: ignore[arg-type]
    return result
