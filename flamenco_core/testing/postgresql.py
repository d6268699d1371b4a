"""A PostgreSQL server that lives as long as a test run, and a database for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

__all__ = ["PostgresServer", "find_binaries", "postgresql_server", "postgresql_url"]

_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
_USER = "farm"
_ATTEMPTS = 3


def find_binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL programs here, or None."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = [f for place in _PLACES for f in Path("/").glob(place[1:]) if (f / "initdb").exists()]
    return max(folders, key=_version, default=None)


def _version(folder: Path) -> int:
    digits = "".join(c for c in folder.parent.name if c.isdigit())
    return int(digits or 0)


class PostgresServer:
    """A server of our own, on a free port of this machine only.

    *fsync* is on as in production; without it tests that do not care are faster.
    """

    def __init__(self, binaries: Path, *, fsync: bool = True) -> None:
        self._binaries = binaries
        self._fsync = fsync
        self._numbers = itertools.count(1)
        # Not pytest's folder: PostgreSQL refuses to run as root, and the user it runs as
        # then could not enter a folder of root's.
        self.folder = Path(tempfile.mkdtemp(prefix="flamenco-pg-"))
        self._as_user: dict[str, object] = {}
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            self._as_user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        self.port = 0

    def start(self) -> None:
        """Make the server's files and start it; returns when it answers."""
        self._run("initdb", "-U", _USER, "-A", "trust", "--no-locale", "-E", "UTF8", "--no-sync")
        for attempt in range(1, _ATTEMPTS + 1):
            self.port = _free_port()
            try:
                self.start_again()
            except RuntimeError:
                # Somebody else may have taken the port in between.
                if attempt == _ATTEMPTS:
                    raise
            else:
                return

    def start_again(self) -> None:
        """Start the server on the files and the port that it had, such as after `crash`."""
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder}"
        options += f" -c fsync={'on' if self._fsync else 'off'}"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def crash(self) -> None:
        """End the server as a crash does: connections are cut, nothing is written any more."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def stop(self) -> None:
        """Stop the server, by the process id that it has written down, and remove its files."""
        try:
            if (self.folder / "data" / "postmaster.pid").exists():
                self._run("pg_ctl", "-w", "-m", "fast", "stop")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self) -> None:
        """Let the server crash and start again, on the same port and with all its data."""
        log = str(self.folder / "log")
        self._run("pg_ctl", "-w", "-m", "immediate", "-l", log, "restart")

    def create_database(self, template: str = "template1") -> str:
        """Make a new database and return its name; it is empty, or as the *template* is."""
        name = f"test_{next(self._numbers)}"
        self._sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database; who is still connected is thrown out."""
        self._sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url(self, database: str) -> str:
        """Return the URL of a database for SQLAlchemy."""
        return f"postgresql+psycopg://{_USER}@127.0.0.1:{self.port}/{database}"

    def _sql(self, statement: str) -> None:
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", _USER, "-d", "postgres"]
        self._execute("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *where, "-c", statement)

    def _run(self, program: str, *arguments: str) -> None:
        self._execute(program, "-D", str(self.folder / "data"), *arguments)

    def _execute(self, program: str, *arguments: str) -> None:
        # To a file, not a pipe: the server inherits it and would keep a pipe open for ever.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [str(self._binaries / program), *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
                timeout=60,
                **self._as_user,  # type: ignore[call-overload]
            )
            output.seek(0)
            text = output.read().decode(errors="replace")
        if done.returncode:
            raise RuntimeError(f"{program} failed: {text}\n{self._log()}")

    def _log(self) -> str:
        log = self.folder / "log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresServer]:
    """Run a PostgreSQL server for the whole test run."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("NO POSTGRESQL: install it (Debian: apt-get install postgresql)")
    server = PostgresServer(binaries)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def postgresql_url(postgresql_server: PostgresServer) -> Iterator[str]:
    """Give the URL of a new, empty database."""
    name = postgresql_server.create_database()
    yield postgresql_server.url(name)
    postgresql_server.drop_database(name)
