"""Built-in: the variable ``{jobs}``, which is where the job storage is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flamenco_core.hookspecs import hookimpl
from flamenco_core.offers.variable import Variable, VariableValue

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["register_variables"]


@hookimpl
def register_variables(manager: Manager) -> Iterable[Variable]:
    """Offer ``jobs``; two-way variables translate its path for other platforms."""
    return [Variable(name="jobs", values=(VariableValue(value=manager.storage.location),))]
