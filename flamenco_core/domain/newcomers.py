"""Which workers are machines that were on the farm before, under another id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from flamenco_core.domain.statuses import WorkerStatus

__all__ = ["IDLE", "STRANGER", "Machine", "Newcomer", "newcomers"]

IDLE = frozenset({WorkerStatus.OFFLINE, WorkerStatus.ERROR, WorkerStatus.ASLEEP})
"""What a worker can be that another one takes the place of: none of these is at work."""


@attrs.frozen(kw_only=True)
class Machine:
    """A worker, as far as it tells machines apart; ``number`` is its machine's, or empty.

    ``created`` is in microseconds.
    """

    id: str
    name: str
    platform: str
    number: str
    status: WorkerStatus
    created: int
    is_pending: bool = False


@attrs.frozen(kw_only=True)
class Newcomer:
    """What is to be decided of a worker: whether it gets in, and whom it takes after."""

    is_pending: bool = False
    was: tuple[str, ...] = ()
    """Ids of workers that seem to be the same machine, the newest first."""


STRANGER = Newcomer()
"""Nothing is to be decided."""


def newcomers(machines: Iterable[Machine]) -> Mapping[str, Newcomer]:
    """Return those of whom something is to be decided, by id.

    The same machine is one with the same number, or one of the same name and platform.
    Names are given by people and numbers are copied with disks, so this is a hint.
    """
    seen: dict[tuple[str, ...], list[Machine]] = {}
    found: dict[str, Newcomer] = {}
    for machine in sorted(machines, key=lambda one: (one.created, one.id)):
        before = {one.id: one for mark in _marks(machine) for one in seen.get(mark, ())}
        idle = [one for one in before.values() if one.status in IDLE]
        was = tuple(one.id for one in sorted(idle, key=lambda one: (-one.created, one.id)))
        if was or machine.is_pending:
            found[machine.id] = Newcomer(is_pending=machine.is_pending, was=was)
        for mark in _marks(machine):
            seen.setdefault(mark, []).append(machine)
    return found


def _marks(machine: Machine) -> Iterable[tuple[str, ...]]:
    name = machine.name.strip().lower()
    if name:
        yield ("name", name, machine.platform)
    if machine.number:
        yield ("number", machine.number)
