"""What has to change so that the farm is as a file says; pure, nothing is asked or told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal

import attrs

from flamenco_core.cli.provision.farm_file import FarmFile, WorkerWish
from flamenco_core.cli.provision.sleep import same_sleep, sleep_in_words
from flamenco_core.errors import BadRequest
from flamenco_core.wire.setup import ConfigurationRehearsal
from flamenco_core.wire.sleep import WorkerSleepSchedule
from flamenco_core.wire.worker_mgt import WorkerSummary, WorkerTag

__all__ = ["Change", "FoundWorker", "missing_workers", "plan_settings", "plan_tags", "plan_workers"]

Sign = Literal["+", "~", "-"]
_HINTS = {"at once": "", "not yet": "nothing uses it yet"}


@attrs.frozen(kw_only=True)
class Change:
    """One thing that is different: what is to be added, changed or removed.

    ``kind`` is ``tag``, ``worker``, ``variable`` or ``setting``; ``part`` says what of a
    worker or tag. ``hint`` is for people.
    """

    sign: Sign
    kind: str
    name: str
    part: str = ""
    before: Any = None
    after: Any = None
    hint: str = ""


@attrs.frozen(kw_only=True)
class FoundWorker:
    """A worker of the farm that the file speaks of, by this name or id."""

    name: str
    summary: WorkerSummary
    wish: WorkerWish
    tags: tuple[str, ...] = ()
    sleep: WorkerSleepSchedule | None = None


def plan_tags(
    file: FarmFile,
    present: Sequence[WorkerTag],
    sleeps: Mapping[str, WorkerSleepSchedule | None],
    *,
    prune: bool,
) -> Iterator[Change]:
    """Yield what is to become of tags; with *prune* those that the file lacks go.

    *sleeps* are the schedules of the tags that are there, by name.
    """
    if file.tags is None:
        return
    known = {tag.name: tag for tag in present}
    for name, wish in file.tags.items():
        if name not in known:
            yield Change(sign="+", kind="tag", name=name, after=wish.description or "")
        elif wish.description not in (None, known[name].description or ""):
            yield Change(
                sign="~",
                kind="tag",
                name=name,
                part="description",
                before=known[name].description or "",
                after=wish.description,
            )
        yield from _of_sleep("tag", name, wish.sleep, sleeps.get(name))
    for name in sorted(known.keys() - file.tags.keys()) if prune else ():
        text = known[name].description or ""
        hint = "its jobs are for all workers then"
        yield Change(sign="-", kind="tag", name=name, before=text, hint=hint)


def plan_workers(
    file: FarmFile, found: Iterable[FoundWorker], tags: Iterable[str]
) -> Iterator[Change]:
    """Yield what is to become of the workers that are there.

    *tags* are those that there will be. Raises `BadRequest` for another one, with its line.
    """
    known = set(tags)
    for name, wish in (file.workers or {}).items():
        for tag in wish.tags or ():
            if tag not in known:
                raise BadRequest(_no_tag(file, name, tag, known))
    for worker in found:
        yield from _of_worker(worker)


def _of_worker(worker: FoundWorker) -> Iterator[Change]:
    name, wish = worker.name, worker.wish
    if wish.tags is not None and set(wish.tags) != set(worker.tags):
        yield Change(
            sign="~",
            kind="worker",
            name=name,
            part="tags",
            before=sorted(worker.tags),
            after=sorted(set(wish.tags)),
        )
    yield from _of_sleep("worker", name, wish.sleep, worker.sleep)


def _of_sleep(
    kind: str, name: str, wanted: WorkerSleepSchedule | None, found: WorkerSleepSchedule | None
) -> Iterator[Change]:
    if wanted is not None and not same_sleep(wanted, found):
        yield Change(
            sign="~",
            kind=kind,
            name=name,
            part="sleep",
            before=sleep_in_words(found),
            after=sleep_in_words(wanted),
        )


def _no_tag(file: FarmFile, worker: str, tag: str, known: set[str]) -> str:
    close = get_close_matches(tag, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "add it to 'tags'"
    line = file.line_of(f"workers.{worker}.tags")
    return f"{line}: workers.{worker}.tags: there is no tag {tag!r}; {hint}"


def plan_settings(file: FarmFile, rehearsed: ConfigurationRehearsal) -> Iterator[Change]:
    """Yield what is to become of settings and variables, as the Manager sees it.

    Raises `BadRequest` with the line for settings that the Manager does not know.
    """
    if rehearsed.unknown:
        key = rehearsed.unknown[0]
        line = file.line_of(f"settings.{key}")
        raise BadRequest(
            f"{line}: the Manager has no setting {key!r}; leave it out, or install what has it"
        )
    for setting in rehearsed.changes:
        kind, _, name = setting.key.rpartition("variables.")
        kind = "variable" if setting.key.startswith("variables.") else "setting"
        yield Change(
            sign=_sign(kind, setting.before, setting.after),
            kind=kind,
            name=name if kind == "variable" else setting.key,
            before=setting.before,
            after=setting.after,
            hint=_HINTS.get(setting.acts, setting.acts),
        )


def _sign(kind: str, before: Any, after: Any) -> Sign:
    if kind == "setting" or (before is not None and after is not None):
        return "~"
    return "+" if before is None else "-"


def missing_workers(file: FarmFile, found: Mapping[str, FoundWorker]) -> list[str]:
    """Return the workers that the file speaks of and nobody has seen yet."""
    return [name for name in file.workers or {} if name not in found]
