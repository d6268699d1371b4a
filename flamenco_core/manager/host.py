"""The Manager, as its plugins and controllers see it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import attrs

from flamenco_core.clock import Clock, NewId
from flamenco_core.config import Loaded
from flamenco_core.domain.events import Event, ManagerStopping, SettingsChanged, TaskLogged
from flamenco_core.domain.failures import FailureLimits
from flamenco_core.domain.jobs import FailureRule
from flamenco_core.domain.scheduling import Candidate, WorkerAtWork
from flamenco_core.domain.sleep_words import zone_named
from flamenco_core.domain.variables import VariableTable
from flamenco_core.errors import ConfigError, NotFound
from flamenco_core.manager.archive import Archiver
from flamenco_core.manager.blocklists import expire
from flamenco_core.manager.bus import MANAGERS, Bus
from flamenco_core.manager.census import Census
from flamenco_core.manager.cleanup import Cleanup
from flamenco_core.manager.command_words import CommandWords
from flamenco_core.manager.configuration import Configuration
from flamenco_core.manager.credentials import Credentials
from flamenco_core.manager.database_care import DatabaseCare
from flamenco_core.manager.deletion import Deletion
from flamenco_core.manager.doorbell import Doorbell
from flamenco_core.manager.hosts import Hosts
from flamenco_core.manager.images import LastRendered
from flamenco_core.manager.intake import Intake
from flamenco_core.manager.job_type_watch import JobTypeWatch
from flamenco_core.manager.job_types import JobTypeCatalog
from flamenco_core.manager.liveness import Liveness
from flamenco_core.manager.logs import TaskLogs
from flamenco_core.manager.long_runs import LongRuns
from flamenco_core.manager.neighbors import Neighbors
from flamenco_core.manager.news import News
from flamenco_core.manager.old_workers import OldWorkers
from flamenco_core.manager.peers import Peers
from flamenco_core.manager.rates import Rates
from flamenco_core.manager.readiness import Readiness
from flamenco_core.manager.settings import ManagerSettings
from flamenco_core.manager.shared_liveness import SharedLiveness
from flamenco_core.manager.silence import TaskSilence
from flamenco_core.manager.sleeping import Sleeping
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.database import Database, open_database
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.stuck import Stuck
from flamenco_core.manager.timeouts import OwnTimeouts, SharedTimeouts, Timeouts
from flamenco_core.manager.traffic import Traffic
from flamenco_core.manager.trials import Trials
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.time_out import fail_silent_task
from flamenco_core.offers.storage import Storage
from flamenco_core.offers.variable import Variable, VariableValue
from flamenco_core.platform import go_os
from flamenco_core.plugins import Plugins

if TYPE_CHECKING:
    from flamenco_core.manager.server.lines import Lines

__all__ = ["Manager"]

log = logging.getLogger(__name__)

S = TypeVar("S")

PATIENCE = 70.0
"""Flamenco's own Workers are silent for up to 66 s after a failed request."""


class Manager:
    """One Manager process: its plugins, settings, clock, database and bus."""

    side: Literal["manager"] = "manager"

    def __init__(
        self, loaded: Loaded[ManagerSettings], plugins: Plugins, clock: Clock, new_id: NewId
    ) -> None:
        self.loaded = loaded
        self.settings = settings = loaded.settings
        self.configuration = Configuration(loaded, self.take_settings)
        self.plugins = plugins
        self.clock = clock
        self.new_id = new_id
        self.platform = go_os()
        self.served: tuple[tuple[str, int], ...] = ()
        """Host and port of each socket that the server listens on; empty if it did not say."""
        self.lines: Lines | None = None
        """The connections, if the server is ours."""
        self.service_failures: Mapping[str, int] = {}
        """How often each service has raised."""
        self.hosts = Hosts(settings.hosts, settings.public_url)
        self.peers = Peers(settings.trusted_proxies)
        self.rates = Rates(settings.limits, self.peers, clock)
        self.traffic = Traffic()
        self.database: Database = open_database(settings.database, clock)
        self.census = Census(self.database, clock)
        self.readiness = Readiness(self.database, clock)
        self.database_care = DatabaseCare(self)
        self._credentials = Credentials(self.database, clock)
        # Microseconds: later than every number that an earlier Manager has given.
        start = clock.now() * MANAGERS + int(new_id()[-6:], 16) % MANAGERS
        self.bus = Bus(plugins, self, start=start, apart=MANAGERS)
        self.doorbell = Doorbell()
        self.silence = TaskSilence(clock)
        self.neighbors = Neighbors(self)
        self.logs = TaskLogs(settings.local_manager_storage_path, settings.task_logs.limits)
        self.last_rendered = LastRendered(self)
        self.archiver = Archiver(self)
        self.cleanup = Cleanup(self)
        self.deletion = Deletion(self)
        self.sleeping = Sleeping(self)
        self.stuck = Stuck(self)
        self.old_workers = OldWorkers(self)
        self.trials = Trials(self)
        self.long_runs = LongRuns(self)
        self.rules = Rules()
        self.liveness, self.timeouts = self._watching()
        self._offered: tuple[Variable, ...] = ()
        self.configuration.told = self._tell_settings
        self._judge_by(settings)

    def take_settings(self, loaded: Loaded[ManagerSettings]) -> None:
        """Let settings count that are new, or as far as that is possible at work."""
        self.loaded, self.settings = loaded, loaded.settings
        self._take_variables()
        self._judge_by(loaded.settings)

    def _tell_settings(self, event: SettingsChanged) -> None:
        self.bus.publish([event])
        self.neighbors.tell_settings()

    def _judge_by(self, settings: ManagerSettings) -> None:
        # New rules, not the same ones changed: a transaction goes by one kind to its end.
        self.rules = attrs.evolve(
            self.rules,
            failure=FailureRule(settings.fail_percentage, settings.fail_at_least),
            limits=FailureLimits(
                workers_per_task=settings.task_fail_after_softfail_count,
                tasks_per_worker=settings.blocklist_threshold,
            ),
            blocked_for=settings.blocklist_expires_after.nanoseconds // 1000,
            longest_runs={
                name.lower(): limit.seconds for name, limit in settings.task_timeouts.items()
            },
            zone=zone_named(settings.time_zone),
        )
        self.intake = Intake.of(settings.limits)
        self.rates.follow(settings.limits)
        self.logs.limits = settings.task_logs.limits
        patience = settings.worker_timeout.seconds
        self.liveness.patience = max(PATIENCE, patience) if patience else float("inf")

    def _watching(self) -> tuple[Liveness, Timeouts]:
        database, clock = self.database, self.clock
        if not database.line.is_shared:
            own = Liveness(clock, PATIENCE)
            return own, OwnTimeouts(database, own, lambda: self.rules)
        shared = SharedLiveness(clock, PATIENCE, database)
        return shared, SharedTimeouts(database, shared, lambda: self.rules, clock=clock)

    def settings_of(self, plugin: str, kind: type[Any]) -> Any:
        """Return a plugin's section of the settings, as an instance of *kind*."""
        return self.loaded.section(plugin, kind)

    def follow_settings(self, plugin: str, kind: type[S], take: Callable[[S], None]) -> S:
        """Return a plugin's section as `settings_of` does, and hand over each later one.

        *take* is called on the event loop after a change of the section, and must be quick;
        what it does not take counts after a restart. A change then counts at once, unless
        an option says otherwise with its *acts*.
        """
        return self.configuration.sections.follow(self.loaded, plugin, kind, take)

    def take_offers(self) -> None:
        """Take in what the plugins offer; the routes are `create_manager`'s to take."""
        offers = self.plugins.registered
        self.job_types = JobTypeCatalog(offers("register_job_types", manager=self).values())
        self.job_type_watch = JobTypeWatch(self.job_types, self.bus.publish)
        self.trials.offered = offers("register_trials", host=self)
        self.storage = _last(offers("register_storages", manager=self).values())
        self._offered = tuple(offers("register_variables", manager=self).values())
        self._take_variables()
        self.services = tuple(offers("register_services", host=self).values())
        if self.plugins.listens("choose_task"):
            self.rules.choose = self._choose_task

    def _take_variables(self) -> None:
        self.variables = self._variables()
        self.command_words = CommandWords(self.variables, self.clock.now())

    def _variables(self) -> VariableTable:
        # What a plugin offers comes first: of two with one name the last counts, and a
        # person who wrote it into the settings means it.
        offered = (self._where_jobs_are(v) for v in self._offered)
        return VariableTable([*offered, *self._set_by_hand()], self.platform)

    def _where_jobs_are(self, offered: Variable) -> Variable:
        # The storage may have moved since this was offered.
        if offered.name != "jobs":
            return offered
        return attrs.evolve(offered, values=(VariableValue(value=self.storage.location),))

    def _set_by_hand(self) -> Iterable[Variable]:
        return (v for v in self.settings.variables if v.name != "jobs")

    def _choose_task(
        self, worker: WorkerAtWork, candidates: tuple[Candidate, ...]
    ) -> Candidate | None:
        chosen = self.plugins.choose("choose_task", worker=worker, candidates=candidates)
        if chosen is None or chosen in candidates:
            return chosen  # type: ignore[no-any-return]
        log.error("a plugin's choose_task returned %.80r, which was none of the candidates", chosen)
        return None

    def deliver(self, tx: Tx) -> None:
        """Tell the events of a committed transaction and wake whom it concerns."""
        self.forget_deleted(tx.events)
        self.bus.publish(tx.events)
        self.doorbell.ring(tx.rings)
        for worker in tx.woken:
            self.doorbell.wake(worker)
        if not self.database.line.is_alone:
            self.neighbors.tell(News(events=tx.events, rings=tx.rings, woken=tx.woken))

    async def store_briefly(self, fn: Callable[..., Any], /, *args: Any) -> Any:
        """Run a use case that takes little time, and the rules, on the event loop.

        It goes to the writer's thread if a plugin chooses tasks, which may take its time.
        """
        database = self.database
        run = database.brief if self.rules.choose is None else database.write
        return await run(fn, *args, self.rules)

    async def credentials_of(self, worker: str, fits: Callable[[Any], bool]) -> Any:
        """Return the row with ``name`` and ``secret_hash`` of a worker, or `None`.

        One that does not *fit* is the database's word, not one remembered.
        """
        return await self._credentials.of(worker, fits)

    async def give_up_overdue(self) -> None:
        """Return the tasks of workers that were not heard of for too long to the queue."""
        await self.timeouts.give_up_overdue()

    def forget_deleted(self, events: Iterable[Event]) -> None:
        """Let no worker in any more that committed events say is deleted."""
        self._credentials.forget_deleted(events)

    def forget_everybody(self) -> None:
        """Ask the database again who the workers are."""
        self._credentials.forget_all()

    async def fail_silent_tasks(self) -> None:
        """Take tasks of which nothing was heard for too long from their workers."""
        limit = self.settings.task_timeout.seconds
        heard = self.liveness.last_seen
        for task in self.silence.overdue(limit):
            with contextlib.suppress(NotFound):
                await self.database.write(fail_silent_task, task, limit, heard, self.rules)
            self.silence.forget(task)

    async def expire_blocks(self) -> None:
        """Let workers try again whose time on a blocklist is over."""
        await expire(self)

    async def save_seen(self) -> None:
        """Store when workers were last heard of."""
        if seen := self.liveness.unsaved():
            await self.database.write(worker_rows.save_seen, seen)

    async def flush_logs(self) -> None:
        """Let what tasks have logged survive a power cut."""
        await asyncio.to_thread(self.logs.flush)

    def tell_log(self, job_id: str, task_id: str, text: str) -> None:
        """Tell that text was added to a task's log."""
        events = [TaskLogged(task_id=task_id, job_id=job_id, text=text)]
        self.bus.publish(events)
        self.neighbors.tell(News(events=events, size=len(text)))

    def end_streams(self) -> None:
        """Let live clients and waiting workers go, so that the server can stop."""
        if not self.doorbell.is_closed:
            self.bus.publish([ManagerStopping()])
        self.bus.close()
        self.doorbell.close()


def _last(storages: Iterable[Storage]) -> Storage:
    found = [*storages]
    if not found:
        raise ConfigError("no plugin offers a storage; take 'storage' out of 'blocked:'")
    return found[-1]
