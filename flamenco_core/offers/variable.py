"""Texts that differ from machine to machine."""

from __future__ import annotations

import attrs

__all__ = ["Variable", "VariableValue"]


@attrs.frozen(kw_only=True)
class VariableValue:
    """One value: for whom (``workers``, ``users`` or ``all``), and on which platform.

    Platforms are Go's names in lower case (``linux``, ``windows``, ``darwin``) or ``all``.
    """

    value: str
    audience: str = "all"
    platform: str = "all"


@attrs.frozen(kw_only=True)
class Variable:
    """A named text that is put in the place of ``{name}``.

    A two-way variable is also recognised in the paths of submitted jobs.
    """

    name: str
    values: tuple[VariableValue, ...]
    is_twoway: bool = False
