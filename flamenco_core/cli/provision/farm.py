"""The farm as it is, and what is told to its Manager so that it becomes as a file says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from flamenco_core.cli.provision import plan
from flamenco_core.cli.provision.farm_file import FarmFile, WorkerWish
from flamenco_core.cli.provision.plan import Change, FoundWorker
from flamenco_core.client import Client
from flamenco_core.errors import BadRequest
from flamenco_core.wire.setup import ConfigurationRehearsal
from flamenco_core.wire.sleep import WorkerSleepSchedule
from flamenco_core.wire.worker_mgt import WorkerSummary, WorkerTag

__all__ = ["Provision"]


@attrs.define(kw_only=True)
class Provision:
    """One file, held against one Manager.

    ``changes`` are what is different, in the order in which it is changed; ``missing``
    are workers that have not called the Manager yet.
    """

    file: FarmFile
    changes: list[Change]
    missing: list[str]
    _client: Client = attrs.field(repr=False)
    _settings: dict[str, Any] = attrs.field(repr=False)
    _tags: list[WorkerTag] = attrs.field(repr=False)
    _workers: dict[str, FoundWorker] = attrs.field(repr=False)

    @classmethod
    def of(cls, client: Client, file: FarmFile, *, prune: bool) -> Provision:
        """Look at the farm; nothing is changed. Raises `BadRequest` with the line."""
        tags = client.tags()
        workers = dict(_workers_of(client, file))
        settings = _settings_of(client, file, prune=prune)
        rehearsed = _rehearse(client, settings)
        of_tags = list(plan.plan_tags(file, tags, _sleeps_of(client, file, tags), prune=prune))
        gone = {change.name for change in of_tags if change.sign == "-"}
        names = {tag.name for tag in tags} - gone | set(file.tags or ())
        changes = [
            *(change for change in of_tags if change.sign != "-"),
            *plan.plan_settings(file, rehearsed),
            *plan.plan_workers(file, workers.values(), names),
            *(change for change in of_tags if change.sign == "-"),
        ]
        missing = plan.missing_workers(file, workers)
        return cls(
            file=file,
            changes=changes,
            missing=missing,
            client=client,
            settings=settings,
            tags=tags,
            workers=workers,
        )

    def carry_out(self) -> list[str]:
        """Make all changes; return the settings that wait for the Manager's restart.

        What failed half-way is finished by doing it all again.
        """
        waiting: list[str] = []
        if any(change.kind in ("setting", "variable") for change in self.changes):
            waiting = self._client.change_settings(self._settings)
        for change in self.changes:
            if change.kind == "tag":
                self._tag(change)
            elif change.kind == "worker":
                self._worker(change)
        return waiting

    def _tag(self, change: Change) -> None:
        if change.sign == "+":
            tag = WorkerTag(name=change.name, description=change.after or None)
            self._tags.append(self._client.create_tag(tag))
            return
        id = str(self._tag_ids()[change.name])
        if change.sign == "-":
            self._client.delete_tag(id)
        elif change.part == "sleep":
            self._tag_sleep(id, (self.file.tags or {})[change.name].sleep)
        else:
            self._client.update_tag(WorkerTag(name=change.name, id=id, description=change.after))

    def _tag_sleep(self, id: str, sleep: WorkerSleepSchedule | None) -> None:
        if sleep is not None and sleep.is_active:
            self._client.set_tag_sleep_schedule(id, sleep)
        else:
            # One that is switched off would count before those of other tags.
            self._client.forget_tag_sleep_schedule(id)

    def _tag_ids(self) -> dict[str, str | None]:
        return {tag.name: tag.id for tag in self._tags}

    def _worker(self, change: Change) -> None:
        worker = self._workers[change.name]
        id, wish = worker.summary.id, worker.wish
        if change.part == "tags":
            ids = self._tag_ids()
            self._client.set_worker_tags(id, [str(ids[name]) for name in wish.tags or ()])
        elif wish.sleep is not None:
            # Who wakes again some day finds the spans that there were.
            off = worker.sleep and attrs.evolve(worker.sleep, is_active=False)
            schedule = wish.sleep if wish.sleep.is_active else off or wish.sleep
            self._client.set_sleep_schedule(id, schedule)


def _sleeps_of(
    client: Client, file: FarmFile, tags: Iterable[WorkerTag]
) -> dict[str, WorkerSleepSchedule | None]:
    asked = {name for name, wish in (file.tags or {}).items() if wish.sleep is not None}
    return {tag.name: client.tag_sleep_schedule(str(tag.id)) for tag in tags if tag.name in asked}


def _workers_of(client: Client, file: FarmFile) -> Iterator[tuple[str, FoundWorker]]:
    everybody = client.workers() if file.workers else []
    for name, wish in (file.workers or {}).items():
        if (found := _worker_named(file, name, everybody)) is not None:
            yield name, _with_details(client, name, found, wish)


def _worker_named(
    file: FarmFile, name: str, everybody: Iterable[WorkerSummary]
) -> WorkerSummary | None:
    found = [worker for worker in everybody if name in (worker.name, worker.id)]
    if len(found) > 1:
        ids = ", ".join(worker.id for worker in found[:4])
        raise BadRequest(
            f"{file.line_of(f'workers.{name}')}: {len(found)} workers have the name {name!r};"
            f" write the id in its place, which is one of {ids}"
        )
    return found[0] if found else None


def _with_details(client: Client, name: str, found: WorkerSummary, wish: WorkerWish) -> FoundWorker:
    return FoundWorker(
        name=name,
        summary=found,
        wish=wish,
        tags=tuple(tag.name for tag in found.tags or ()),
        sleep=client.sleep_schedule(found.id) if wish.sleep is not None else None,
    )


def _settings_of(client: Client, file: FarmFile, *, prune: bool) -> dict[str, Any]:
    settings = dict(file.settings or {})
    if file.variables is not None:
        # The Manager takes all variables at once: those that nobody mentions have to stay.
        present = {} if prune else client.settings_file().get("variables", {})
        settings["variables"] = {**present, **file.variables}
    return settings


def _rehearse(client: Client, settings: dict[str, Any]) -> ConfigurationRehearsal:
    if not settings:
        return ConfigurationRehearsal(changes=[], unknown=[])
    return client.rehearse_settings(settings)
