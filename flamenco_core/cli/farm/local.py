"""A farm on this machine: folders, settings, and waiting until it is ready."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import attrs
import click

from flamenco_core.cli.context import Cli
from flamenco_core.cli.farm.children import Child, Children, clean_environment
from flamenco_core.clock import SystemClock
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.errors import Busy, FlamencoError

__all__ = ["LocalFarm"]

_READY = 90.0
"""Seconds for a start; the first one on a slow disk compiles every module."""
_PAUSE = 0.1


@attrs.define(kw_only=True)
class LocalFarm:
    """A Manager and a Worker below one folder, reachable from this machine only.

    Call `start`, do what else there is to do, then call `wait_until_ready`.
    """

    cli: Cli
    children: Children
    folder: Path
    host: str = "127.0.0.1"
    port: int = 8080
    quiet: bool = False
    """Whether the output goes to files instead of the terminal."""

    @property
    def url(self) -> str:
        """Where the Manager is."""
        return f"http://{self.host}:{self.port}"

    @property
    def shared(self) -> Path:
        """The farm's shared storage."""
        return self.folder / "shared"

    def start(self) -> None:
        """Start the Manager; it is not ready when this returns."""
        self.shared.mkdir(parents=True, exist_ok=True)
        self._write_settings()
        listen = f"{self.host}:{self.port}"
        self._child("Manager", "manager", "--data", str(self.folder), "--listen", listen)

    def wait_until_ready(self) -> None:
        """Return when the Manager answers, and the Worker, which it starts, is awake.

        Raises `FlamencoError` when that takes too long, or one of them has ended.
        """
        self.cli.url = self.url
        with self.cli.client() as client:
            self._until(lambda: bool(client.version()), self.children.all[0])
            home = str(self.folder / "worker")
            worker = self._child("Worker", "worker", "--manager", self.url, "--home", home)
            self._until(
                lambda: any(w.status is WorkerStatus.AWAKE for w in client.workers()), worker
            )

    def tell_logs(self) -> None:
        """Write the ends of the logs to the error output."""
        for child in self.children.all:
            if child.log is not None:
                click.echo(f"\nthe end of {child.log}:", err=True)
            for line in child.tail():
                click.echo(f"    {line}", err=True)

    def _until(self, done: Callable[[], bool], child: Child) -> None:
        clock = SystemClock()
        deadline = clock.monotonic() + _READY
        while not _answers(done):
            self.children.check()
            if clock.monotonic() > deadline:
                raise FlamencoError(f"the {child.name} was not ready within {_READY:.0f} s")
            self.cli.pause(_PAUSE)

    def _child(self, name: str, *arguments: str) -> Child:
        log = self.folder / f"{arguments[0]}.log" if self.quiet else None
        return self.children.flamenco(name, arguments, env=clean_environment(), log=log)

    def _write_settings(self) -> None:
        """Write settings for the first start; a file that is there is the user's."""
        file = self.folder / "flamenco-manager.yaml"
        if file.exists():
            return
        lines = [
            "# A farm on one machine, made by 'flamenco farm' or 'flamenco demo'.",
            "_meta: {version: 3}",
            f"shared_storage_path: {json.dumps(str(self.shared))}",
            # It is this machine's alone: nobody should find it by accident.
            "autodiscoverable: false",
        ]
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")


def _answers(done: Callable[[], bool]) -> bool:
    try:
        return done()
    except Busy:
        return False
