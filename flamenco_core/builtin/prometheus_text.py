"""The Manager's figures in Prometheus' words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import attrs
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.exposition import generate_latest

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["MEDIA_TYPE", "Figures", "write_figures"]

MEDIA_TYPE = CONTENT_TYPE_LATEST
CLAIMS = (("scheduleTask", 200), ("taskUpdate", 200))
"""Answers that give a worker a task."""


def write_figures(manager: Manager, counts: Any) -> bytes:
    """Return the text for Prometheus; *counts* is what `Manager.census` has counted."""
    registry = CollectorRegistry(auto_describe=False)
    # Memory, processor time and open files of this process; on Linux only.
    ProcessCollector(registry=registry)
    registry.register(Figures(manager, counts))
    return generate_latest(registry)


@attrs.frozen(eq=False)
class Figures:
    """The figures of a Manager; a collector of Prometheus'."""

    manager: Manager
    counts: Any

    def collect(self) -> Iterator[Any]:
        """Give one family of figures after the other."""
        counts, manager = self.counts, self.manager
        yield _gauges("jobs", "Jobs by status", "status", counts.jobs)
        yield _gauges("tasks", "Tasks by status", "status", counts.tasks)
        yield _gauges("workers", "Workers by status", "status", counts.workers)
        yield _gauge("tasks_ready", "Tasks that only wait for a worker", counts.ready)
        rows = manager.traffic.rows
        claims = sum(sum(rows[key].counts) for key in CLAIMS if key in rows)
        yield _counter("claims", "Tasks given to workers", claims)
        yield self._latencies()
        yield from self._bus()
        yield from self._database()
        yield from self._connections()
        text = "Times that a service has failed and was started again"
        yield _counters("service_failures", text, "service", manager.service_failures)

    def _latencies(self) -> Any:
        name, text = "flamenco_answer_seconds", "Time until an answer begins"
        family = HistogramMetricFamily(name, text, labels=("operation", "status"))
        ends = [*map(str, self.manager.traffic.buckets), "+Inf"]
        for (operation, status), row in sorted(self.manager.traffic.rows.copy().items()):
            buckets = list(zip(ends, accumulate(row.counts), strict=True))
            family.add_metric((operation, str(status)), buckets, row.seconds)
        return family

    def _bus(self) -> Iterator[Any]:
        bus, doorbell = self.manager.bus, self.manager.doorbell
        yield _gauge("event_clients", "Clients that follow events", len(bus))
        yield _counter("event_resets", "Times a listener was too slow and missed some", bus.missed)
        yield _gauge("workers_waiting", "Workers that wait at the line for a task", len(doorbell))

    def _database(self) -> Iterator[Any]:
        batches = self.manager.database.batches
        text = "Seconds to bring a batch of changes to the disk"
        name = "flamenco_commit_seconds"
        yield SummaryMetricFamily(name, text, batches.commits, batches.seconds)
        yield _gauge("commit_seconds_slowest", "The longest commit so far", batches.slowest)
        yield _counter("commit_writes", "Changes in all commits together", batches.writes)
        queued = self.manager.database.queued
        yield _gauge("writes_queued", "Changes that wait for the database", queued)

    def _connections(self) -> Iterator[Any]:
        lines, refused = self.manager.lines, self.manager.rates.refused
        yield _counter("rate_limited", "Requests refused because there were too many", refused)
        if lines is None:
            return  # somebody else's server
        yield _gauge("connections", "Connections that are open", len(lines))
        yield _counter("connections_refused", "Connections that were too many", lines.refused)
        text = "Connections closed because a client took too long, by what it was doing"
        yield _counters("connections_overdue", text, "state", lines.overdue)


def _gauge(name: str, text: str, value: float) -> Any:
    return GaugeMetricFamily(f"flamenco_{name}", text, value)


def _counter(name: str, text: str, value: float) -> Any:
    return CounterMetricFamily(f"flamenco_{name}", text, value)


def _gauges(name: str, text: str, label: str, values: Any) -> Any:
    return _labeled(GaugeMetricFamily(f"flamenco_{name}", text, labels=(label,)), values)


def _counters(name: str, text: str, label: str, values: Any) -> Any:
    return _labeled(CounterMetricFamily(f"flamenco_{name}", text, labels=(label,)), values)


def _labeled(family: Any, values: Any) -> Any:
    for word, number in sorted(values.items()):
        family.add_metric((word,), number)
    return family
